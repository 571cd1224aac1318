"""One answer on its way to a recording target."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from bot.adapter import ReplyTarget
from bot.chat.delivering.channel import Channel
from bot.chat.delivering.gates import Gates
from bot.chat.delivering.ledger import Ledger
from bot.chat.delivery import Delivery, Route
from bot.chat.latest_replies import LatestReplies
from bot.chat.notice import ChatEvent
from bot.chat.platforms import Platforms
from bot.messages import ChatAddress
from bot.settings import DeliverySettings
from tests.support.fake_clock import FakeClock
from tests.support.recording_target import RecordingTarget

ADDRESS = ChatAddress(adapter="test", chat="1", user="ann")


class Feed:
    """Events that a test hands over one by one."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[ChatEvent | None] = asyncio.Queue()

    def put(self, *events: ChatEvent | None) -> None:
        """Hand over; None ends."""
        for event in events:
            self._queue.put_nowait(event)

    async def __aiter__(self) -> AsyncIterator[ChatEvent]:
        """Yield until the end."""
        while (event := await self._queue.get()) is not None:
            yield event


class RecordingExits:
    """Notes what a delivery could not do itself."""

    def __init__(self) -> None:
        self.postponed: list[float] = []
        self.dropped: list[ChatAddress] = []
        self.new_home: tuple[ReplyTarget, ChatAddress] | None = None

    async def settle(self, address: ChatAddress) -> None:
        """Nothing is left over here."""

    def release(self, ledger: Ledger | None) -> None:
        """Nobody else wants it."""

    def later(self, address: ChatAddress, after_s: float) -> None:
        """Note when."""
        self.postponed.append(after_s)

    async def gone(self, address: ChatAddress) -> None:
        """Note where."""
        self.dropped.append(address)

    async def moved(self, address: ChatAddress, chat: str) -> tuple[ReplyTarget, ChatAddress] | None:
        """Where the test says."""
        return self.new_home


class DeliveryBench:
    """What a test of a delivery needs within reach."""

    def __init__(self, target: RecordingTarget | None = None, **settings: Any) -> None:
        self.clock = FakeClock()
        self.target = target or RecordingTarget()
        self.exits = RecordingExits()
        self.platforms = Platforms()
        self.gates = Gates(self.clock)
        self.latest = LatestReplies()
        self.settings = DeliverySettings(**settings)

    def route(self) -> Route:
        """To the target."""
        channel = Channel(
            target=self.target,
            address=ADDRESS,
            platforms=self.platforms,
            gates=self.gates,
            clock=self.clock,
            patience_s=self.settings.patience_s,
        )
        return Route(channel=channel, exits=self.exits, clock=self.clock, settings=self.settings, latest=self.latest)

    async def deliver(self, *events: ChatEvent, ledger: Ledger | None = None) -> None:
        """Deliver them to the end, at once."""
        feed = Feed()
        feed.put(*events, None)
        async with Delivery(self.route(), ledger) as delivery:
            await delivery.run(feed)

    @asynccontextmanager
    async def running(self, ledger: Ledger | None = None) -> AsyncIterator[tuple[Feed, Delivery, "asyncio.Task[None]"]]:
        """A delivery that a test feeds; it has to be ended, or is cancelled."""
        feed = Feed()
        async with Delivery(self.route(), ledger) as delivery:
            run = asyncio.create_task(delivery.run(feed))
            try:
                yield feed, delivery, run
            finally:
                run.cancel()
                await asyncio.wait({run})
