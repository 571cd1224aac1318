"""Chooses how a model runs from what was measured on this box. Pure: measures nothing itself.

One key is varied at a time, with the best so far for the others. What a value of a key costs is what people wait for:

- `n_threads`: one written token;
- `n_threads_batch`: one token of a new message, read behind a history;
- `n_ubatch`: one token of a long text, read behind a history;
- `flash_attn`: a typical turn, 60 tokens of a new message read and 150 tokens written.

A value replaces the one before it when it costs at least 5 % less. Less than that is noise.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, Protocol

from bot.engine.load_params import LoadParams
from bot.engine.measurement import Choice, Measurement

_ORDER = ("n_threads", "n_threads_batch", "n_ubatch", "flash_attn")
"""Flash attention last: it takes a new context, and is the likeliest to crash."""
_WORTH_IT = 0.95
_UBATCHES = (128, 256, 512)


class Meter(Protocol):
    """Measures choices on a loaded model."""

    def first(self) -> Measurement:
        """Measure the defaults."""
        ...

    def measure(self, choice: Choice, best: Measurement) -> Measurement | None:
        """Measure what differs from `best` in one key; None where the model does not run like that."""
        ...

    def has_time(self) -> bool:
        """Whether another choice may be measured."""
        ...


def search(params: LoadParams, meter: Meter, *, cores: int, cpus: int) -> Iterator[Measurement]:
    """Measure the defaults, then one value after another. `cores` are physical, `cpus` logical, and both usable."""
    best = meter.first()
    yield best
    for key in _ORDER:
        if key not in (params.tunable or ()):
            continue
        for value in alternatives(key, params, cores=cores, cpus=cpus):
            if not meter.has_time():
                return
            measured = meter.measure(replace(best.choice, **{key: value}), best)
            if measured is not None:
                yield measured
                best = better(best, measured)


def choose(measurements: Iterable[Measurement]) -> Measurement | None:
    """The best of what `search` gave, which may have ended early. None for nothing."""
    best: Measurement | None = None
    for measured in measurements:
        best = better(best, measured) if best else measured
    return best


def better(best: Measurement, other: Measurement) -> Measurement:
    """`other` if it differs from `best` in one key and that is worth it, else `best`."""
    keys = other.choice.changed(best.choice)
    if len(keys) != 1:
        return best
    old, new = best.cost(keys[0]), other.cost(keys[0])
    return other if old is not None and new is not None and new < old * _WORTH_IT else best


def alternatives(key: str, params: LoadParams, *, cores: int, cpus: int) -> tuple[Any, ...]:
    """What to try instead of the default value of a key, without repetitions.

    Threads: one a core, one a logical CPU, one core left to the rest of the box, and half the cores, for CPUs that
    have slow cores too. Flash attention left to llama.cpp (None) is on wherever it can be.
    """
    default = getattr(params, key)
    values: tuple[Any, ...]
    if key == "flash_attn":
        values = (False,) if default is None else (not default,)
    elif key == "n_ubatch":
        values = tuple(size for size in _UBATCHES if size <= params.n_batch)
    else:
        values = tuple(count for count in (cores, cpus, cores - 1, cores // 2) if count)
    return tuple(value for value in dict.fromkeys(values) if value != default)
