"""Runs contenders one after another, in alternating order."""

import time
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from benchmarks.contender import Contender
from benchmarks.setup import LLAMA_CPP_PYTHON, Setup

T = TypeVar("T")


async def each_run(
    setup: Setup, what: str, contenders: Sequence[Contender], measure: Callable[[Contender], Awaitable[T]]
) -> dict[str, list[T]]:
    """Measure every contender in every run; the order turns round from run to run.

    `llama_cpp.server` is measured in the first run only: it takes as long as all others together.
    """
    found: dict[str, list[T]] = {contender.name: [] for contender in contenders}
    for run in range(setup.runs):
        for contender in contenders if run % 2 == 0 else reversed(contenders):
            if contender.name == LLAMA_CPP_PYTHON and run > 0:
                continue
            started = time.monotonic()
            async with contender:
                found[contender.name].append(await measure(contender))
            setup.say(f"{what}: run {run + 1} of {setup.runs}, {contender.name}: {time.monotonic() - started:.0f} s")
    return found
