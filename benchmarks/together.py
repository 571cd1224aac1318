"""Eight users at once: how much is written in a second, and how much of that is lost to the engine around the model."""

import asyncio
import time
from dataclasses import dataclass
from statistics import median

from benchmarks.contender import Contender, Turn
from benchmarks.conversation import Conversation
from benchmarks.hearthbot import Hearthbot
from benchmarks.report import Plot, Reach, Report, milliseconds
from benchmarks.running import each_run
from benchmarks.setup import LLAMA_SERVER, Setup
from benchmarks.tape import Tape
from benchmarks.workload import question
from bot.engine.runner import Runner

USERS = 8
TURNS = 16
REPLY_TOKENS = 32
N_CTX = 4096
OURS = "hearthbot"
BARE = "bare decode loop"
BEST = "-fa off"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    tokens_per_s: float
    ttft_s: float
    bare_tokens_per_s: float | None = None


async def measure(setup: Setup) -> Report:
    """Tokens a second of everybody, and each one's time to first token."""
    contenders: list[Contender] = [
        setup.hearthbot(n_ctx=N_CTX, parallel=USERS),
        *setup.llama_servers(n_ctx=N_CTX, parallel=USERS, variants={BEST: ("-fa", "off")}),
        *setup.llama_cpp_servers(n_ctx=N_CTX),
    ]
    found = await each_run(setup, "together", contenders, _talk)
    rate = {name: median(run.tokens_per_s for run in runs) for name, runs in found.items()}
    bare = [run.bare_tokens_per_s for run in found[OURS] if run.bare_tokens_per_s]
    rows = [
        (name, f"{rate[name]:.0f}", milliseconds(median(run.ttft_s for run in runs))) for name, runs in found.items()
    ]
    rows.insert(1, (BARE, f"{median(bare):.0f}", ""))
    reaches = [
        Reach(what=f"over {name}", figure=rate[OURS] / rate[name], limit=limit, at_least=True)
        for name, limit in ((LLAMA_SERVER, 1.5), (f"{LLAMA_SERVER} {BEST}", 1.1))
        if name in rate
    ]
    shares = [run.tokens_per_s / run.bare_tokens_per_s for run in found[OURS] if run.bare_tokens_per_s]
    reaches.append(Reach(what=f"over the {BARE}", figure=median(shares), limit=0.9, at_least=True))
    return Report(
        name="together",
        title="Together: tokens written in a second",
        about=(
            f"{USERS} users at once, {TURNS} turns each without a pause, {REPLY_TOKENS} tokens a reply, prompts "
            "included in the time. The bare decode loop does the very same batches of hearthbot's run again in "
            "this process, with greedy sampling and nothing else."
        ),
        header=("", "tokens/s", "median time to first token, ms"),
        rows=rows,
        reaches=reaches,
        plot=Plot(x_label="", y_label="tokens/s", series={row[0]: [float(row[1])] for row in rows}),
        missing=setup.missing,
        raw={
            name: [
                {"tokens_per_s": run.tokens_per_s, "ttft_s": run.ttft_s, "bare": run.bare_tokens_per_s} for run in runs
            ]
            for name, runs in found.items()
        },
    )


async def _talk(contender: Contender) -> _Run:
    tape = Tape(contender.engine.model.runner) if isinstance(contender, Hearthbot) else None

    async def user(number: int) -> list[Turn]:
        talk = Conversation(f"user {number}")
        return [await talk.say(contender, question(number, turn), max_tokens=REPLY_TOKENS) for turn in range(TURNS)]

    started = time.perf_counter()
    turns = [turn for talk in await asyncio.gather(*map(user, range(USERS))) for turn in talk]
    seconds = time.perf_counter() - started
    tokens = sum(turn.completion_tokens for turn in turns)
    bare = None
    if tape is not None and isinstance(contender, Hearthbot):
        params = contender.engine.model.runner.params
        await contender.stop()
        runner = await asyncio.to_thread(Runner, params)
        bare = tokens / await asyncio.to_thread(tape.replay, runner)
        runner.close()
    return _Run(tokens_per_s=tokens / seconds, ttft_s=median(turn.ttft_s for turn in turns), bare_tokens_per_s=bare)
