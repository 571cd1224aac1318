"""One user sends ten long messages at once, and another should not wait for them with a short one."""

import asyncio
import time
from dataclasses import dataclass
from statistics import median

from benchmarks.contender import Contender, Turn
from benchmarks.report import Plot, Reach, Report
from benchmarks.running import each_run
from benchmarks.setup import Setup
from benchmarks.workload import essay, question
from bot.request import ChatMessage

LONG_MESSAGES = 10
LONG_REPLY = 64
SHORT_REPLY = 16
EVERY_S = 3.0
ALONE = 3
N_CTX = 4096
SEQUENCES = 2
OURS = "hearthbot"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    alone: list[Turn]
    """The short message with nobody else there."""
    beside: list[Turn]
    """The same while the ten are answered."""
    long: list[Turn]
    long_s: float
    """Until the last of the ten was answered."""


async def measure(setup: Setup) -> Report:
    """The short messages' time to first token, alone and beside the long ones."""
    contenders: list[Contender] = [
        setup.hearthbot(n_ctx=N_CTX, parallel=SEQUENCES),
        *setup.llama_servers(n_ctx=N_CTX, parallel=SEQUENCES, variants={"-fa off": ("-fa", "off")}),
        *setup.llama_cpp_servers(n_ctx=N_CTX),
    ]
    found = await each_run(setup, "fairness", contenders, _talk)
    rows: list[tuple[str, ...]] = []
    beside: dict[str, list[float]] = {}
    for name, runs in found.items():
        waits = [turn.ttft_s for run in runs for turn in run.beside]
        beside[name] = sorted(waits)
        rows.append(
            (
                name,
                f"{median(turn.ttft_s for run in runs for turn in run.alone):.2f}",
                f"{median(waits):.2f}",
                f"{max(waits):.2f}",
                f"{median(run.long_s for run in runs):.0f}",
            )
        )
    ours = found[OURS]
    return Report(
        name="fairness",
        title="Fairness: a short message beside ten long ones",
        about=(
            f"One user sends {LONG_MESSAGES} different messages of about 500 tokens at once ({LONG_REPLY} tokens a "
            f"reply); another sends a short one every {EVERY_S:g} s until all are answered. Everybody has {SEQUENCES} "
            "sequences, `llama_cpp.server` one."
        ),
        header=("", "alone, s", "beside: median, s", "beside: slowest, s", "all ten answered, s"),
        rows=rows,
        reaches=[
            Reach(
                what="the short message's slowest first token, against alone plus one long reply",
                figure=max(beside[OURS]),
                limit=median(turn.ttft_s for run in ours for turn in run.alone) + max(_served_s(run) for run in ours),
                unit=" s",
            )
        ],
        plot=Plot(
            x_label="",
            y_label="slowest time to first token of the short message, s",
            series={name: [waits[-1]] for name, waits in beside.items()},
        ),
        missing=setup.missing,
        raw={"beside_s": beside},
    )


def _served_s(run: _Run) -> float:
    """How long one long reply takes from when it is begun: that of all, shared among the sequences."""
    return run.long_s / LONG_MESSAGES * SEQUENCES


async def _talk(contender: Contender) -> _Run:
    async def short(number: int) -> Turn:
        messages = (ChatMessage(role="user", content=question(number, number)),)
        return await contender.turn(messages, user="short", max_tokens=SHORT_REPLY)

    async def long(number: int) -> Turn:
        messages = (ChatMessage(role="user", content=essay(number)),)
        return await contender.turn(messages, user="long", max_tokens=LONG_REPLY)

    alone = [await short(number) for number in range(ALONE)]
    tasks = [asyncio.create_task(long(number)) for number in range(LONG_MESSAGES)]
    beside: list[Turn] = []
    while not all(task.done() for task in tasks):
        begun = time.perf_counter()
        beside.append(await short(ALONE + len(beside)))
        await asyncio.sleep(max(0.0, EVERY_S - (time.perf_counter() - begun)))
    turns = await asyncio.gather(*tasks)
    return _Run(alone=alone, beside=beside, long=turns, long_s=max(turn.total_s for turn in turns))
