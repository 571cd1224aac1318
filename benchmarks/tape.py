"""What an engine asked of its runner, written down so that it can be done again with nothing around it."""

import time
from collections.abc import Sequence

from bot.engine.batch import BatchPart
from bot.engine.runner import Runner
from bot.engine.sampler import Sampler
from bot.request import SamplingParams

GREEDY = SamplingParams(temperature=0.0)


class Tape:
    """Records a runner's batches and what was done to its sequences between them."""

    def __init__(self, runner: Runner) -> None:
        """Listen from now on, until the runner is closed."""
        self._steps: list[tuple[str, tuple[object, ...]]] = []
        self._blobs = 0
        decode, truncate, copy = runner.decode, runner.truncate, runner.copy

        def recording_decode(parts: Sequence[BatchPart]) -> dict[int, int]:
            self._steps.append(("decode", (list(parts),)))
            return decode(parts)

        def recording_truncate(seq_id: int, length: int) -> bool:
            self._steps.append(("truncate", (seq_id, length)))
            return truncate(seq_id, length)

        def recording_copy(source: int, target: int) -> None:
            self._steps.append(("copy", (source, target)))
            copy(source, target)

        vars(runner).update(decode=recording_decode, truncate=recording_truncate, copy=recording_copy)

    def replay(self, runner: Runner) -> float:
        """Do all of it again on a fresh runner, choosing each token greedily; returns the seconds it took."""
        sampler = Sampler(GREEDY, runner.vocabulary, n_ctx=runner.n_ctx)
        started = time.perf_counter()
        for name, arguments in self._steps:
            outputs = getattr(runner, name)(*arguments)
            if name == "decode":
                for index in outputs.values():
                    runner.sample(sampler, index)
        seconds = time.perf_counter() - started
        sampler.close()
        return seconds
