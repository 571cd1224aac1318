"""A long conversation goes on after a restart: it should not be read again."""

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.contender import Contender
from benchmarks.conversation import Conversation
from benchmarks.report import Plot, Reach, Report, milliseconds
from benchmarks.setup import Setup
from benchmarks.workload import essay, question
from bot.request import ChatMessage

HISTORY_TOKENS = 3000
ESSAY_TOKENS = 520
REPLY_TOKENS = 32
N_CTX = 4096
WARM_TURNS = 3
OURS = "hearthbot"


@dataclass(slots=True, kw_only=True)
class _Found:
    first_s: float
    """The whole history read for the first time."""
    warm_s: list[float]
    restarted_s: list[float]
    up_s: list[float]
    evaluated: list[int]


async def measure(setup: Setup) -> Report:
    """Time to first token warm and after a restart."""
    with tempfile.TemporaryDirectory(prefix="hearthbot-bench-") as folder:
        contenders: list[Contender] = [
            setup.hearthbot(n_ctx=N_CTX, parallel=2, cache_dir=Path(folder)),
            *setup.llama_servers(n_ctx=N_CTX, parallel=2),
            *setup.llama_cpp_servers(n_ctx=N_CTX),
        ]
        found = {}
        for contender in contenders:
            restarts = setup.runs if contender.name == OURS else 1
            found[contender.name] = await _restart(contender, restarts)
            setup.say(f"restart: {contender.name}, {restarts} restarts")
    warm = {name: median(each.warm_s) for name, each in found.items()}
    restarted = {name: median(each.restarted_s) for name, each in found.items()}
    return Report(
        name="restart",
        title="Restart: time to first token",
        about=(
            f"A conversation of about {HISTORY_TOKENS} tokens goes on after the server was stopped and started again, "
            "with a message of about 25 tokens."
        ),
        header=(
            "",
            "first reading, ms",
            "warm, ms",
            "after a restart, ms",
            "evaluated after a restart",
            "start until ready, ms",
        ),
        rows=[
            (
                name,
                milliseconds(each.first_s),
                milliseconds(warm[name]),
                milliseconds(restarted[name]),
                f"{median(each.evaluated):.0f}" if each.evaluated else "not told",
                milliseconds(median(each.up_s)),
            )
            for name, each in found.items()
        ],
        reaches=[
            Reach(
                what="hearthbot after a restart, against 1.5 times warm plus 50 ms",
                figure=restarted[OURS] * 1000,
                limit=1.5 * warm[OURS] * 1000 + 50,
                unit=" ms",
            )
        ],
        plot=Plot(
            x_label="",
            y_label="time to first token, ms",
            series={
                f"{name}, {when}": [seconds * 1000]
                for name in found
                for when, seconds in (("warm", warm[name]), ("restarted", restarted[name]))
            },
        ),
        missing=setup.missing,
        raw={
            name: {"warm_s": each.warm_s, "restarted_s": each.restarted_s, "up_s": each.up_s}
            for name, each in found.items()
        },
    )


async def _restart(contender: Contender, restarts: int) -> _Found:
    talk = Conversation("long")
    for number in range((HISTORY_TOKENS - 400) // ESSAY_TOKENS):
        talk.messages.append(ChatMessage(role="user", content=essay(number)))
        talk.messages.append(ChatMessage(role="assistant", content="I have read that, and it is a lot of fish."))
    numbers = iter(range(1000))

    async def say() -> tuple[float, int | None]:
        turn = await talk.say(contender, question(0, next(numbers)), max_tokens=REPLY_TOKENS)
        return turn.ttft_s, turn.evaluated_tokens

    found = _Found(first_s=0.0, warm_s=[], restarted_s=[], up_s=[], evaluated=[])
    async with contender:
        found.first_s, _ = await say()
        for _ in range(WARM_TURNS):
            found.warm_s.append((await say())[0])
    for _ in range(restarts):
        started = time.perf_counter()
        await contender.start()
        found.up_s.append(time.perf_counter() - started)
        try:
            seconds, evaluated = await say()
            found.restarted_s.append(seconds)
            if evaluated is not None:
                found.evaluated.append(evaluated)
            found.warm_s.append((await say())[0])
        finally:
            await contender.stop()
    return found
