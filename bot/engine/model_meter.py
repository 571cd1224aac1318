"""Measures how fast a loaded model reads and writes, in little time on a fast box and on a slow one."""

import time
from collections.abc import Callable
from dataclasses import replace

from bot.engine.batch import BatchPart
from bot.engine.measurement import Choice, Measurement
from bot.engine.runner import Runner
from bot.errors import ModelLoadError

_HISTORY = 1000
_MESSAGE = 64
_LONG_TEXT = 512
_REPLY = 24
_FEWEST = 8
"""Tokens of the first piece that is read; fewer say nothing about reading."""
_FEWEST_WRITTEN = 3
_REPEATS = 3

# Shares of the budget, so that one number bounds all of it.
_HISTORY_SHARE = 0.1
_LONG_TEXT_SHARE = 0.07
_SHARE = 0.03


class ModelMeter:
    """Takes each figure as the fastest of several: other programs on the box only ever add time.

    How many tokens are read is settled by the first measurement, from few to as many as its share of the budget
    allows, and is the same for every choice. Raises what `Runner.decode` raises.
    """

    def __init__(self, runner: Runner, *, budget_s: float, clock: Callable[[], float] = time.perf_counter) -> None:
        """`budget_s` is about how long everything may take."""
        self._runner = runner
        self._budget_s = budget_s
        self._clock = clock
        self._started = clock()
        self._first_took = 0.0
        self._history = 0
        self._message = 0
        self._long_text = 0

    def first(self) -> Measurement:
        """Measure the runner as it was loaded, and settle how much is read."""
        n_ctx, n_batch = self._runner.n_ctx, self._runner.n_batch
        seconds = self._grow_history(min(_HISTORY, n_ctx // 2))
        affordable = int(self._budget_s * _SHARE / seconds)
        self._message = min(_MESSAGE, n_ctx // 4, n_batch, max(_FEWEST, affordable))
        long_text = min(_LONG_TEXT, n_ctx // 4, n_batch)
        self._long_text = long_text if seconds * long_text <= self._budget_s * _LONG_TEXT_SHARE else 0
        choice = Choice.of(self._runner.params)
        measured = Measurement(
            choice=choice,
            read_s=self._read_message(),
            write_s=self._write(),
            long_read_s=self._read_long_text(choice.n_ubatch) if self._long_text else None,
        )
        self._first_took = self._clock() - self._started
        return measured

    def measure(self, choice: Choice, best: Measurement) -> Measurement | None:
        """Measure what the one key in which `choice` differs from `best` changes."""
        (key,) = choice.changed(best.choice)
        if key == "flash_attn":
            try:
                self._runner.reopen(choice.put_into(self._runner.params))
            except ModelLoadError:
                return None
            return replace(best, choice=choice, read_s=self._read_message(), write_s=self._write())
        self._runner.set_threads(choice.n_threads, choice.n_threads_batch)
        if key == "n_threads":
            return replace(best, choice=choice, write_s=self._write())
        if key == "n_threads_batch":
            return replace(best, choice=choice, read_s=self._read_message())
        if not self._long_text:
            return None
        return replace(best, choice=choice, long_read_s=self._read_long_text(choice.n_ubatch))

    def has_time(self) -> bool:
        """Whether a measurement like the first one fits what is left of the budget."""
        return self._clock() - self._started + self._first_took <= self._budget_s

    def _grow_history(self, most: int) -> float:
        """Read ever larger pieces while the next one fits its share; returns seconds per token of the last."""
        started = self._clock()
        piece = _FEWEST
        while True:
            piece = min(piece, self._runner.n_batch, most - self._history)
            seconds = self._read(self._history, piece) / piece
            self._history += piece
            piece *= 2
            spent = self._clock() - started
            if self._history >= most or spent + seconds * piece > self._budget_s * _HISTORY_SHARE:
                return seconds

    def _read_message(self) -> float:
        return self._fastest(lambda: self._read(self._history, self._message), _SHARE) / self._message

    def _read_long_text(self, n_ubatch: int) -> float:
        """A batch is computed in micro-batches, so batches of that size cost the same without a new context."""

        def read() -> float:
            start, end = self._history, self._history + self._long_text
            return sum(self._read(at, min(n_ubatch, end - at)) for at in range(start, end, n_ubatch))

        return self._fastest(read, _LONG_TEXT_SHARE) / self._long_text

    def _write(self) -> float:
        self._rewind()
        deadline = self._clock() + self._budget_s * _SHARE
        most = min(_REPLY, self._runner.n_ctx // 4)
        seconds: list[float] = []
        while len(seconds) < _FEWEST_WRITTEN or (len(seconds) < most and self._clock() < deadline):
            seconds.append(self._read(self._history + len(seconds), 1))
        return min(seconds)

    def _fastest(self, action: Callable[[], float], share: float) -> float:
        """The fewest seconds of `action` behind the history, which is done again while its share lasts."""
        seconds: list[float] = []
        while len(seconds) < _REPEATS and sum(seconds) + max(seconds, default=0) <= self._budget_s * share:
            self._rewind()
            seconds.append(action())
        return min(seconds)

    def _rewind(self) -> None:
        """Have the history in the sequence and nothing else; models whose memory cannot be cut read it again."""
        length = self._runner.length(0)
        if length < self._history or not self._runner.truncate(0, self._history):
            self._runner.truncate(0, 0)
            for start in range(0, self._history, self._runner.n_batch):
                self._read(start, min(self._runner.n_batch, self._history - start))

    def _read(self, position: int, count: int) -> float:
        """Evaluate `count` tokens, as different as those of a text, for a mixture of experts. Returns seconds."""
        size = self._runner.vocabulary.size
        tokens = [index * 7919 % size for index in range(position, position + count)]
        started = self._clock()
        self._runner.decode([BatchPart(seq_id=0, position=position, tokens=tokens, wants_logits=True)])
        return self._clock() - started
