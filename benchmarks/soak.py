"""Very many messages through one life of the daemon: none may be lost or come twice, and memory may not creep."""

from statistics import median

from benchmarks.chats import SAMPLE_S, Load
from benchmarks.report import Plot, Reach, Report
from benchmarks.setup import Setup

PLATFORMS = 2
USERS, MESSAGES = 200, 10_000
WORDS_PER_S, LONG = 400.0, 120


async def measure(setup: Setup) -> Report:
    """Everybody writes as soon as the last reply is read."""
    each = MESSAGES // USERS
    load = Load(
        chats=USERS // PLATFORMS,
        goes_on=lambda asked: asked < each,
        pause_s=2.0,
        words_per_s=WORDS_PER_S,
        long=LONG,
    )
    await load.run()
    talks = [talk for talks in load.talks.values() for talk in talks]
    messages = sum(talk.asked for talk in talks)
    setup.say(f"soak: {messages} messages answered")
    growth = growth_percent(load.memory_mib)
    seconds = len(load.memory_mib) * SAMPLE_S
    lost, twice = sum(talk.lost for talk in talks), sum(talk.doubled for talk in talks)
    disorder = sum(not talk.in_order for talk in talks)
    return Report(
        name="soak",
        title=f"Soak: {USERS} people, {MESSAGES:,} messages",
        about=(
            "Half of the people are on Telegram, half on Discord, both on loopback and as strict about their limits as "
            f"the real ones. The model is scripted and writes {WORDS_PER_S:.0f} words a second. Every word of every "
            "reply is looked for in the chat. People write faster than a bot may answer, and it must not be told to "
            "wait."
        ),
        header=(
            "messages",
            "seconds",
            "words lost",
            "words twice",
            "chats out of order",
            "told to wait",
            "memory, second half",
        ),
        rows=[
            (
                str(messages),
                f"{seconds:.0f}",
                str(lost),
                str(twice),
                str(disorder),
                str(sum(load.refused.values())),
                f"{growth:+.1f} %",
            )
        ],
        reaches=[
            Reach(what="words lost", figure=lost, limit=0),
            Reach(what="words twice", figure=twice, limit=0),
            Reach(what="chats out of order", figure=disorder, limit=0),
            Reach(what="requests beyond a platform's limit", figure=sum(load.refused.values()), limit=0),
            Reach(what="memory, growth in the second half", figure=growth, limit=5, unit=" %"),
        ],
        plot=Plot(
            x_label="seconds",
            y_label="memory of the daemon, MiB",
            series={"hearthbot": load.memory_mib},
            x=[number * SAMPLE_S for number in range(len(load.memory_mib))],
        ),
        raw={"memory_mib": load.memory_mib, "refused": load.refused, "requests": load.requests},
    )


def growth_percent(memory: list[float]) -> float:
    """From the first fifth of the second half to the last, in percent."""
    half = memory[len(memory) // 2 :]
    fifth = max(1, len(half) // 5)
    before, after = median(half[:fifth]), median(half[-fifth:])
    return (after / before - 1) * 100
