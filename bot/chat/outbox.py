"""Answers that could not be delivered, or not been written, before a connection or the process ended."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from bot.adapter import OpenTarget, ReplyTarget
from bot.chat.clock import Clock
from bot.chat.delivering.channel import Channel
from bot.chat.delivering.gates import Gates
from bot.chat.delivering.ledger import Ledger
from bot.chat.delivery import Delivery, Route
from bot.chat.latest_replies import LatestReplies
from bot.chat.lines import Lines
from bot.chat.platforms import Platforms
from bot.errors import StorageError
from bot.figures import DeliveryFigures
from bot.messages import ChatAddress
from bot.settings import DeliverySettings
from bot.storage.answer_repository import AnswerRepository
from bot.storage.conversation_repository import ConversationRepository
from bot.storage.owed_answer import OwedAnswer
from bot.storage.timestamp import from_ms, now_ms

_LOGGER = logging.getLogger(__name__)
_RETRY_S = 60.0
Resume = Callable[[Sequence[OwedAnswer]], Awaitable[None]]


class Outbox:
    """Delivers what was left over as soon as its platform is up, and again while it does not get through.

    Everything that is owed is a row in the database from the moment its message was accepted. What somebody is at work
    on in this process is `live`, and left to them.
    """

    def __init__(
        self,
        *,
        answers: AnswerRepository,
        conversations: ConversationRepository,
        platforms: Platforms,
        lines: Lines,
        gates: Gates,
        clock: Clock,
    ) -> None:
        self._answers = answers
        self._conversations = conversations
        self._platforms = platforms
        self._lines = lines
        self._gates = gates
        self._clock = clock
        self._began_ms, self._began = now_ms(), clock.now()
        self._latest = LatestReplies()
        self._live: set[int] = set()
        self._left_over: set[tuple[str, str]] = set()
        self._chats: defaultdict[tuple[str, str], asyncio.Lock] = defaultdict(asyncio.Lock)
        self._tasks: set[asyncio.Task[None]] = set()
        self._waking: set[str] = set()
        self.settings = DeliverySettings()
        """Replaced with the configuration."""
        self.resume: Resume | None = None
        """Answers messages that have no answer yet, all of one person in one conversation."""

    @property
    def figures(self) -> DeliveryFigures:
        """How the answers get on."""
        return DeliveryFigures(
            under_way=len(self._live),
            late_chats=len(self._left_over),
            delivered=self._answers.delivered,
            dropped=self._answers.dropped,
        )

    async def connecting(self, name: str) -> None:
        """An adapter is about to come up: in every conversation, what is owed there goes before what it will bring."""
        try:
            by_chat = _by_chat(await self._owed(name))
        except StorageError as error:
            _LOGGER.error("what is owed cannot be read, and may be overtaken: %s", error)  # noqa: TRY400 - its text says all
            return
        for chat, owed in by_chat.items():
            self._lines.reserve(name, chat, frozenset(each.message.own_key for each in owed))

    def connected(self, name: str, open_target: OpenTarget) -> None:
        """An adapter is up: go on there."""
        self._platforms.connected(name, open_target)
        self._start(self._catch_up(name), name=f"outbox of {name}")

    def reaches(self, address: ChatAddress) -> bool:
        """Whether an answer can still be given there after a restart."""
        return self._platforms.target(address) is not None

    def route(self, target: ReplyTarget, address: ChatAddress) -> Route:
        """How an answer gets to a target."""
        channel = Channel(
            target=target,
            address=address,
            platforms=self._platforms,
            gates=self._gates,
            clock=self._clock,
            patience_s=self.settings.patience_s,
        )
        return Route(channel=channel, exits=self, clock=self._clock, settings=self.settings, latest=self._latest)

    def ledger(self, answer_id: int, *, known: OwedAnswer | None = None) -> Ledger:
        """Take an answer on; `release` gives it back."""
        self._live.add(answer_id)
        return Ledger(self._answers, answer_id, known=known)

    def release(self, ledger: Ledger | None) -> None:
        """Nobody is at work on it any more."""
        if ledger is not None:
            self._live.discard(ledger.answer_id)

    async def settle(self, address: ChatAddress) -> None:
        """Deliver first what was left over in this chat."""
        place = (address.adapter, address.chat)
        under_way = self._chats.get(place)
        if place in self._left_over or (under_way is not None and under_way.locked()):
            owed = await self._answers.owed(address.adapter)
            await self._deliver_all([each for each in owed if each.message.chat == address.chat])

    def later(self, address: ChatAddress, after_s: float) -> None:
        """Try again after so many seconds, a minute at least."""
        self._left_over.add((address.adapter, address.chat))
        if address.adapter not in self._waking:
            self._waking.add(address.adapter)
            self._start(self._wake(address.adapter, max(_RETRY_S, after_s)), name=f"outbox of {address.adapter}")

    async def gone(self, address: ChatAddress) -> None:
        """Nothing can be shown there any more."""
        dropped = await self._answers.drop_chat(address.adapter, address.chat, address.thread)
        _LOGGER.warning(
            "%s: chat %s takes no messages any more (blocked, left or deleted); %d answers are not delivered",
            address.adapter,
            address.chat,
            dropped,
        )

    async def moved(self, address: ChatAddress, chat: str) -> tuple[ReplyTarget, ChatAddress] | None:
        """The chat goes on under another id, with its conversations and with what is owed there."""
        await self._conversations.move_chat(address.adapter, address.chat, chat)
        _LOGGER.info("%s: chat %s goes on as %s", address.adapter, address.chat, chat)
        there = replace(address, chat=chat, reply_to=None)
        target = self._platforms.target(there)
        return None if target is None else (target, there)

    async def idle(self) -> None:
        """Return when nothing is under way, for the end of the daemon."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def close(self) -> None:
        """Begin nothing any more; what was not delivered is kept for the next start."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def _catch_up(self, name: str) -> None:
        try:
            await self._answers.prune()
            by_chat = _by_chat(await self._owed(name))
            await asyncio.gather(*(self._guarded(self._catch_up_in(each)) for each in by_chat.values()))
        finally:
            self._lines.free(name)

    async def _catch_up_in(self, owed: Sequence[OwedAnswer]) -> None:
        """Do what is owed in one chat."""
        try:
            await self._deliver_all([each for each in owed if each.reply is not None])
            by_person: defaultdict[tuple[object, str], list[OwedAnswer]] = defaultdict(list)
            for each in owed:
                if each.reply is None:
                    by_person[each.message.key, each.message.user].append(each)
            if self.resume is not None:
                await asyncio.gather(*(self.resume(each) for each in by_person.values()))
        finally:
            self._lines.free(owed[0].message.adapter, owed[0].message.chat)

    async def _owed(self, name: str) -> list[OwedAnswer]:
        """What is owed on a platform, and nobody is at work on."""
        return [each for each in await self._answers.owed(name) if each.id not in self._live]

    async def _wake(self, name: str, after_s: float) -> None:
        await self._clock.sleep(after_s)
        self._waking.discard(name)
        if self._platforms.is_up(name):
            await self._catch_up(name)

    async def _deliver_all(self, owed: Sequence[OwedAnswer]) -> None:
        """One after the other, in the order in which the messages came."""
        if not owed:
            return
        place = (owed[0].message.adapter, owed[0].message.chat)
        async with self._chats[place]:
            self._left_over.discard(place)
            for each in owed:
                current = await self._answers.get(each.id)
                if current is not None and current.reply is not None and current.id not in self._live:
                    await self._deliver(current)

    async def _deliver(self, owed: OwedAnswer) -> None:
        target = self._platforms.target(owed.address)
        ledger = self.ledger(owed.id, known=owed)
        try:
            if self.is_too_old(owed):
                _LOGGER.warning(
                    "%s: an answer is %g hours old and not delivered any more",
                    owed.address.adapter,
                    self.settings.keep_h,
                )
                await ledger.close(delivered=False)
            elif target is not None:
                async with Delivery(self.route(target, owed.address), ledger) as delivery:
                    await delivery.redeliver(owed)
            elif self._platforms.is_up(owed.address.adapter):
                await ledger.close(delivered=False)  # a console: the answer is in the history
        finally:
            self.release(ledger)

    def is_too_old(self, owed: OwedAnswer) -> bool:
        """Whether nobody waits for it any more.

        By the machine's date, and by what has passed since the start as well: nothing is dropped because the date was
        set while the daemon ran.
        """
        steady_ms = self._began_ms + int((self._clock.now() - self._began) * 1000)
        return from_ms(min(now_ms(), steady_ms)) - owed.received_at > timedelta(hours=self.settings.keep_h)

    def _start(self, work: Coroutine[Any, Any, None], *, name: str) -> None:
        task = asyncio.create_task(self._guarded(work), name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    @staticmethod
    async def _guarded(work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except StorageError as error:
            _LOGGER.error("the outbox cannot be read: %s", error)  # noqa: TRY400 - its text says all
        except Exception:
            _LOGGER.exception("the outbox has failed")


def _by_chat(owed: Sequence[OwedAnswer]) -> dict[str, list[OwedAnswer]]:
    by_chat: dict[str, list[OwedAnswer]] = {}
    for each in owed:
        by_chat.setdefault(each.message.chat, []).append(each)
    return by_chat
