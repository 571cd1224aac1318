"""Eight users who share a persona speak in turn: nobody should wait for a history to be read again."""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from statistics import median

from benchmarks.contender import Contender, Turn
from benchmarks.conversation import Conversation
from benchmarks.hearthbot import Hearthbot
from benchmarks.report import Plot, Reach, Report, milliseconds
from benchmarks.running import each_run
from benchmarks.setup import LLAMA_SERVER, Setup
from benchmarks.workload import question

USERS = 8
TURNS = 16
REPLY_TOKENS = 32
N_CTX = 4096
PAUSE_S = 0.6
"""Between a reply and the next person's message: nobody types in no time."""
FRAME_TOKENS = 16
"""Of a message, and of the end of the reply before it."""
TWO = "hearthbot, 2 sequences"
EIGHT = "hearthbot, 8 sequences"

ByTurn = list[list[Turn]]
"""Turn by turn, every user's."""


async def measure(setup: Setup) -> Report:
    """Time to first token and prompt tokens evaluated, turn by turn."""
    contenders: list[Contender] = [
        setup.hearthbot(n_ctx=N_CTX, parallel=2, name=TWO),
        setup.hearthbot(n_ctx=N_CTX, parallel=USERS, name=EIGHT),
        *setup.llama_servers(n_ctx=N_CTX, parallel=USERS, variants={"-fa off": ("-fa", "off")}),
        *setup.llama_cpp_servers(n_ctx=N_CTX),
    ]
    excess: dict[str, list[int]] = {}
    found = await each_run(setup, "alternating", contenders, partial(_talk, excess))
    ttft = {name: _by_turn(runs, lambda turn: turn.ttft_s) for name, runs in found.items()}
    evaluated = {name: _by_turn(runs, _evaluated) for name, runs in found.items()}
    reaches = []
    for name in (TWO, EIGHT):
        reaches += [
            Reach(
                what=f"{name}: last turn's median over the second's", figure=ttft[name][-1] / ttft[name][1], limit=1.3
            ),
            Reach(
                what=f"{name}: most tokens evaluated beyond the new message's own",
                figure=max(excess[name]),
                limit=FRAME_TOKENS,
            ),
        ]
        reaches += [
            Reach(what=f"{name}: last turn over {peer}'s", figure=ttft[name][-1] / ttft[peer][-1], limit=0.25)
            for peer in found
            if peer.startswith(LLAMA_SERVER)
        ]
    return Report(
        name="alternating",
        title="Alternating: time to first token",
        about=(
            f"{USERS} users who share a persona of about 300 tokens speak in turn, {TURNS} turns each, "
            f"{REPLY_TOKENS} tokens a reply, {PAUSE_S:g} s between a reply and the next message. All messages are "
            "equally long. Medians over users and runs; "
            "evaluated are the prompt tokens of a turn that were not in the cache."
        ),
        header=(
            "",
            "turn 2, ms",
            "turn 8, ms",
            f"turn {TURNS}, ms",
            "slowest from turn 2, ms",
            "evaluated at turn 2",
            f"evaluated at turn {TURNS}",
        ),
        rows=[
            (
                name,
                milliseconds(ttft[name][1]),
                milliseconds(ttft[name][7]),
                milliseconds(ttft[name][-1]),
                milliseconds(max(turn.ttft_s for run in runs for turns in run[1:] for turn in turns)),
                _count(evaluated[name][1]),
                _count(evaluated[name][-1]),
            )
            for name, runs in found.items()
        ],
        reaches=reaches,
        plot=Plot(
            x_label="turn",
            y_label="time to first token, ms (median of the users)",
            series={name: [value * 1000 for value in values] for name, values in ttft.items()},
        ),
        missing=setup.missing,
        raw={"ttft_s": ttft, "evaluated_tokens": evaluated},
    )


async def _talk(excess: dict[str, list[int]], contender: Contender) -> ByTurn:
    talks = [Conversation(f"user {user}") for user in range(USERS)]
    turns: ByTurn = []
    for number in range(TURNS):
        row = []
        for user, talk in enumerate(talks):
            text = question(user, number)
            await asyncio.sleep(PAUSE_S)
            row.append(await talk.say(contender, text, max_tokens=REPLY_TOKENS))
            if isinstance(contender, Hearthbot) and number > 0:
                beyond = (row[-1].evaluated_tokens or 0) - await contender.content_tokens(text)
                excess.setdefault(contender.name, []).append(beyond)
        turns.append(row)
    return turns


def _evaluated(turn: Turn) -> float:
    return -1 if turn.evaluated_tokens is None else turn.evaluated_tokens


def _by_turn(runs: Sequence[ByTurn], value: Callable[[Turn], float]) -> list[float]:
    return [median(value(turn) for run in runs for turn in run[number]) for number in range(TURNS)]


def _count(tokens: float) -> str:
    return "not told" if tokens < 0 else f"{tokens:.0f}"
