"""Two hundred turns in a small window: no turn should stand out."""

from collections.abc import Sequence
from statistics import median

from benchmarks.contender import Contender, Turn
from benchmarks.conversation import Conversation
from benchmarks.report import Plot, Reach, Report, milliseconds
from benchmarks.setup import Setup
from benchmarks.workload import question

TURNS = 200
REPLY_TOKENS = 24
N_CTX = 2048
SHIFT = "hearthbot, shift"
DROP = "hearthbot, drop"


async def measure(setup: Setup) -> Report:
    """Time to first token of every turn."""
    # The window of a request alone: nobody else speaks, so one sequence is what everybody gets.
    contenders: list[Contender] = [
        setup.hearthbot(n_ctx=N_CTX, parallel=1, name=SHIFT),
        setup.hearthbot(n_ctx=N_CTX, parallel=1, name=DROP),
        *setup.llama_servers(
            n_ctx=N_CTX, parallel=1, variants={"--cache-reuse 32": ("--cache-reuse", "32", "-fa", "off")}
        ),
        *setup.llama_cpp_servers(n_ctx=N_CTX),
    ]
    found: dict[str, list[Turn]] = {}
    cuts: dict[str, int] = {}
    for contender in contenders:
        async with contender:
            talk = Conversation("endless", window=N_CTX, may_shift=contender.name == SHIFT)
            found[contender.name] = [
                await talk.say(contender, question(turn, turn), max_tokens=REPLY_TOKENS) for turn in range(TURNS)
            ]
            cuts[contender.name] = talk.cuts
        setup.say(f"overflow: {contender.name}, {TURNS} turns")
    return Report(
        name="overflow",
        title="Overflow: time to first token of every turn",
        about=(
            f"One conversation of {TURNS} turns, {REPLY_TOKENS} tokens a reply, in a window of {N_CTX} tokens. "
            "When it is full the client drops the older half of the turns, for every contender in the same way. "
            "The first turn, which reads the persona, is left out."
        ),
        header=("", "cuts", "median, ms", "slowest, ms", "slowest over median", "most tokens evaluated"),
        rows=[_row(name, turns[1:], cuts[name]) for name, turns in found.items()],
        reaches=[Reach(what=f"{SHIFT}: slowest turn over the median", figure=_ratio(found[SHIFT][1:]), limit=3.0)],
        plot=Plot(
            x_label="turn",
            y_label="time to first token, ms",
            series={name: [turn.ttft_s * 1000 for turn in turns[1:]] for name, turns in found.items()},
            x=range(2, TURNS + 1),
            log_y=True,
        ),
        missing=setup.missing,
        raw={name: [turn.ttft_s for turn in turns] for name, turns in found.items()},
    )


def _row(name: str, turns: Sequence[Turn], cuts: int) -> tuple[str, ...]:
    evaluated = [turn.evaluated_tokens for turn in turns if turn.evaluated_tokens is not None]
    return (
        name,
        str(cuts),
        milliseconds(median(turn.ttft_s for turn in turns)),
        milliseconds(max(turn.ttft_s for turn in turns)),
        f"{_ratio(turns):.1f}",
        str(max(evaluated)) if evaluated else "not told",
    )


def _ratio(turns: Sequence[Turn]) -> float:
    return max(turn.ttft_s for turn in turns) / median(turn.ttft_s for turn in turns)
