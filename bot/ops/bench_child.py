"""The measuring child process: loads a model with the parameters on standard input and prints its speed as JSON.

Every set of parameters has a process of its own: a native crash, or memory that does not suffice, is an answer too.
"""

import json
import sys
import time
from statistics import median

from bot.engine.batch import BatchPart
from bot.engine.load_params import LoadParams
from bot.engine.runner import Runner
from bot.engine.sampler import Sampler
from bot.errors import ModelLoadError
from bot.ops.speed import Speed
from bot.request import SamplingParams

HISTORY_TOKENS = 512
PREFILL_LIMIT_S = 6.0
"""A slow machine reads a shorter history: its rate is as good."""
READINGS = 2
"""The fastest counts, the other was disturbed."""
DECODE_STEPS = 32
DECODE_LIMIT_S = 4.0
WARM_UP_TOKENS = 32
COPIES = 3
"""Of the KV state; the fastest counts, the others were disturbed."""
GREEDY = SamplingParams(temperature=0.0)


class SpeedMeter:
    """Measures on a runner that has a sequence for each of the replies written at the same time."""

    def __init__(self, runner: Runner, *, load_s: float) -> None:
        """`load_s` is how long it took to make the runner."""
        self._runner = runner
        self._load_s = load_s
        self._length = min(HISTORY_TOKENS, runner.n_ctx - DECODE_STEPS - 1)
        text = b"The sea is wide and deep, and ships sail on it to far countries. " * self._length
        self._tokens = runner.vocabulary.tokenize(text)[: self._length]

    def measure(self) -> Speed:
        """Measure everything."""
        guess = self._read(WARM_UP_TOKENS)
        length = min(self._length, max(WARM_UP_TOKENS, int(guess * PREFILL_LIMIT_S)))
        rate = max(self._read(length) for _ in range(READINGS))
        save_ms, restore_ms, size = self._copy()
        counts = [count for count in (1, 2, 4) if count <= self._runner.params.max_parallel]
        for seq_id in range(1, max(counts)):
            self._runner.copy(0, seq_id)
        return Speed(
            history_tokens=length,
            prefill_tokens_per_s=rate,
            decode_tokens_per_s={count: self._decode(count, length) for count in counts},
            save_ms=save_ms,
            restore_ms=restore_ms,
            state_bytes=size,
            load_s=self._load_s,
        )

    def _read(self, length: int) -> float:
        """Read a history into the first sequence; returns tokens a second."""
        self._runner.truncate(0, 0)
        started = time.perf_counter()
        for done in range(0, length, self._runner.n_batch):
            tokens = self._tokens[done : min(length, done + self._runner.n_batch)]
            self._runner.decode([BatchPart(seq_id=0, position=done, tokens=tokens, wants_logits=True)])
        return length / (time.perf_counter() - started)

    def _copy(self) -> tuple[float, float, int]:
        """Milliseconds of saving and of restoring, and bytes."""
        save_s, restore_s, size = [], [], 0
        for _ in range(COPIES):
            started = time.perf_counter()
            blob = self._runner.save(0)
            saved = time.perf_counter()
            if not self._runner.restore(0, blob):
                raise ModelLoadError("the model's KV state cannot be restored")
            restore_s.append(time.perf_counter() - saved)
            save_s.append(saved - started)
            size = blob.nbytes
        return min(save_s) * 1000, min(restore_s) * 1000, size

    def _decode(self, count: int, length: int) -> float:
        """Tokens a second that so many sequences are written on with, together."""
        sampler = Sampler(GREEDY, self._runner.vocabulary, n_ctx=self._runner.n_ctx)
        tokens = dict.fromkeys(range(count), self._tokens[0])
        position = length
        steps: list[float] = []
        while len(steps) < DECODE_STEPS and sum(steps) < DECODE_LIMIT_S:
            started = time.perf_counter()
            parts = [
                BatchPart(seq_id=seq_id, position=position, tokens=[token], wants_logits=True)
                for seq_id, token in tokens.items()
            ]
            outputs = self._runner.decode(parts)
            tokens = {seq_id: self._runner.sample(sampler, index) for seq_id, index in outputs.items()}
            position += 1
            steps.append(time.perf_counter() - started)
        sampler.close()
        for seq_id in range(count):
            self._runner.truncate(seq_id, length)
        return count / median(steps)


def main() -> int:
    """Measure the parameters on standard input. Whatever goes wrong is told on standard error."""
    params = LoadParams.from_json(json.load(sys.stdin))
    started = time.perf_counter()
    try:
        runner = Runner(params)
        speed = SpeedMeter(runner, load_s=time.perf_counter() - started).measure()
    except ModelLoadError as error:
        sys.stderr.write(f"{error}\n")
        return ModelLoadError.exit_code
    sys.stdout.write(json.dumps(speed.to_json()) + "\n")
    runner.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
