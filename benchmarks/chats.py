"""Many chats on two platforms at once, with a model that costs nothing: nothing may be lost, or come out of order."""

import asyncio
import json
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from statistics import median

import psutil

from benchmarks.chat_platforms import DiscordPlatform, Platform, TelegramPlatform
from benchmarks.paced_model import order, reply
from benchmarks.report import Plot, Reach, Report, milliseconds
from benchmarks.setup import Setup

CHATS = 50
SECONDS = 300.0
WORDS_PER_S = 20.0
SHORT, LONG = 40, 600
LONG_EACH, TWICE_EACH = 6, 3
"""Every so manieth message asks for a long reply; every so manieth is followed by another at once."""
SAMPLE_S = 1.0
WARM = 0.25
"""Share of the run in which memory may grow."""


@dataclass(slots=True, kw_only=True)
class Talk:
    """What came of one chat."""

    asked: int = 0
    wanted: list[str] = field(default_factory=list)
    shown: Sequence[str] = ()
    waited_s: list[float] = field(default_factory=list)
    """From each message until its reply was complete, beyond the time in which it was written."""

    @property
    def lost(self) -> int:
        """Words that are missing."""
        return len(set(self.wanted) - set(self.shown))

    @property
    def doubled(self) -> int:
        """Words that are there more than once."""
        return len(self.shown) - len(set(self.shown))

    @property
    def in_order(self) -> bool:
        """Whether all of it is there in the order it was asked for."""
        return list(self.shown) == self.wanted


@dataclass(slots=True, kw_only=True)
class Load:
    """The daemon with both platforms, and what was seen of it."""

    chats: int
    goes_on: Callable[[int], bool]
    """Whether a chat that has asked so often asks again."""
    pause_s: float = 6.0
    """People think for up to this long."""
    words_per_s: float = WORDS_PER_S
    long: int = LONG
    """Words of a long reply."""
    talks: dict[str, list[Talk]] = field(default_factory=dict)
    refused: dict[str, int] = field(default_factory=dict)
    requests: dict[str, int] = field(default_factory=dict)
    memory_mib: list[float] = field(default_factory=list)
    reached_s: list[float] = field(default_factory=list)
    exit_code: int | None = None

    async def run(self) -> None:
        """Let everybody talk, and end the daemon."""
        async with AsyncExitStack() as stack:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="hearthbot-chats-"))
            platforms: list[Platform] = [
                await stack.enter_async_context(DiscordPlatform.open()),
                await stack.enter_async_context(TelegramPlatform.open(self.chats)),
            ]
            given = {
                "database": str(Path(folder) / "chats.db"),
                "words_per_s": self.words_per_s,
                "adapters": {platform.name: platform.section for platform in platforms},
            }
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "benchmarks.chats_child", json.dumps(given), stdout=asyncio.subprocess.PIPE
            )
            try:
                await self._talk(platforms, process)
            finally:
                if process.returncode is None:
                    process.kill()
                await process.wait()

    async def _talk(self, platforms: Sequence[Platform], process: asyncio.subprocess.Process) -> None:
        for platform in platforms:
            await platform.until(platform.connected)
            self.talks[platform.name] = [Talk() for _ in range(self.chats)]
        watching = asyncio.create_task(self._watch(process.pid))
        try:
            await asyncio.gather(
                *(self._chat(platform, number) for platform in platforms for number in range(self.chats))
            )
        finally:
            watching.cancel()
        process.send_signal(signal.SIGTERM)
        output, _ = await process.communicate()
        self.exit_code = process.returncode
        self.reached_s = json.loads(output)["reached_s"] if self.exit_code == 0 else []
        for platform in platforms:
            self.refused[platform.name], self.requests[platform.name] = platform.refused, platform.requests
            for number, talk in enumerate(self.talks[platform.name]):
                talk.shown = platform.words(number)

    async def _chat(self, platform: Platform, number: int) -> None:
        talk, random = self.talks[platform.name][number], Random(f"{platform.name} {number}")  # noqa: S311 - no secret
        since = 0
        while self.goes_on(talk.asked):
            await asyncio.sleep(random.uniform(0, self.pause_s))
            started, words = time.monotonic(), 0
            for index in range(1 + ((talk.asked + number) % TWICE_EACH == 0)):
                tag = f"{platform.name[0]}{number}n{talk.asked}"
                size = self.long if (talk.asked + number) % LONG_EACH == 0 else SHORT
                talk.asked += 1
                talk.wanted += reply(tag, size)
                words += size
                await platform.say(number, order(tag, size, at_once=index == 0))
            found = False

            def complete() -> bool:
                nonlocal found, since
                shown, since = platform.shows(number, since, talk.wanted[-1])
                found = found or shown
                return found

            await platform.until(complete)
            talk.waited_s.append(time.monotonic() - started - words / self.words_per_s)

    async def _watch(self, pid: int) -> None:
        process = psutil.Process(pid)
        while True:
            self.memory_mib.append(process.memory_info().rss / 2**20)
            await asyncio.sleep(SAMPLE_S)


async def measure(setup: Setup) -> Report:
    """Five minutes of it."""
    until = time.monotonic() + SECONDS
    load = Load(chats=CHATS, goes_on=lambda _asked: time.monotonic() < until)
    await load.run()
    setup.say(f"chats: {sum(talk.asked for talks in load.talks.values() for talk in talks)} messages answered")
    warm = load.memory_mib[round(len(load.memory_mib) * WARM) :]
    third = max(1, len(warm) // 3)
    growth = median(warm[-third:]) - median(warm[:third])
    talks = [talk for each in load.talks.values() for talk in each]
    return Report(
        name="chats",
        title=f"Chats: {CHATS} people on each of two platforms",
        about=(
            f"Everybody in {CHATS} chats on Telegram and {CHATS} on Discord talks for {SECONDS / 60:.0f} minutes. Both "
            "platforms are on loopback and as strict about their limits as the real ones; the model is scripted and "
            f"writes {WORDS_PER_S:.0f} words a second, {SHORT} or {LONG} a reply. Every third message is followed by "
            "another at once."
        ),
        header=(
            "",
            "messages",
            "requests a second",
            "too many",
            "words lost",
            "words twice",
            "chats out of order",
            "beyond the writing, median / slowest",
        ),
        rows=[_row(name, load) for name in load.talks],
        reaches=[
            Reach(what="words lost", figure=sum(talk.lost for talk in talks), limit=0),
            Reach(what="words twice", figure=sum(talk.doubled for talk in talks), limit=0),
            Reach(what="chats out of order", figure=sum(not talk.in_order for talk in talks), limit=0),
            Reach(what="requests beyond a platform's limit", figure=sum(load.refused.values()), limit=0),
            Reach(what="memory, from the second quarter's end to the end", figure=growth, limit=8, unit=" MiB"),
            Reach(
                what="message sent until request at the model, median",
                figure=median(load.reached_s) * 1000,
                limit=10,
                unit=" ms",
            ),
        ],
        plot=Plot(
            x_label="seconds",
            y_label="memory of the daemon, MiB",
            series={"hearthbot": load.memory_mib},
            x=[each * SAMPLE_S for each in range(len(load.memory_mib))],
        ),
        raw={
            "memory_mib": load.memory_mib,
            "reached_s": load.reached_s,
            "refused": load.refused,
            "waited_s": {
                name: [each for talk in talks for each in talk.waited_s] for name, talks in load.talks.items()
            },
        },
    )


def _row(name: str, load: Load) -> tuple[str, ...]:
    talks = load.talks[name]
    waited = [each for talk in talks for each in talk.waited_s]
    seconds = len(load.memory_mib) * SAMPLE_S
    return (
        name,
        str(sum(talk.asked for talk in talks)),
        f"{load.requests[name] / seconds:.1f}",
        str(load.refused[name]),
        str(sum(talk.lost for talk in talks)),
        str(sum(talk.doubled for talk in talks)),
        str(sum(not talk.in_order for talk in talks)),
        f"{milliseconds(median(waited))} / {milliseconds(max(waited))} ms",
    )
