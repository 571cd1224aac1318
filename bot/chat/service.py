"""The core of the daemon as adapters see it: what happens to one message."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

from bot.adapter import OpenTarget, ReplyTarget, WatchedModel
from bot.adapter_state import AdapterPhase, AdapterState
from bot.adapter_store import AdapterStore
from bot.book import ConversationBook
from bot.chat.access import Access, identity_of
from bot.chat.backlog import Backlog
from bot.chat.chat_parts import ChatParts
from bot.chat.commands.command import ImmediateCommand
from bot.chat.delivery import Delivery
from bot.chat.failure import report
from bot.chat.guests import Guests
from bot.chat.leftovers import Leftovers
from bot.chat.letters import Letters
from bot.chat.lines import Lines
from bot.chat.message_text import clean_text
from bot.chat.outbox import Outbox
from bot.chat.pastes import Pastes
from bot.chat.platforms import Platforms
from bot.chat.presses import PressError
from bot.chat.reception import Reception
from bot.chat.welcomes import Welcomes
from bot.figures import DeliveryFigures
from bot.messages import ChatAddress, CommandSpec, ConversationKey, IncomingMessage, ReplyDone
from bot.metering import Meter
from bot.metrics import Metrics
from bot.people import Door, PeopleRegister
from bot.settings import Configuration, GenerationSettings
from bot.storage.access_records import Identity
from bot.storage.answer_repository import AnswerRepository
from bot.storage.link_repository import LinkRepository
from bot.storage.owed_answer import OwedAnswer

_GROUPS_ONLY = "I only answer in groups here. Please write to me there."
_EMPTY = "Your message is empty. Write me something, or send /help to see what I can do."


class ChatService:
    """Lets a message in, puts it in the line of its conversation, and has it answered. A `ChatCore`."""

    def __init__(
        self,
        *,
        model: WatchedModel,
        metrics: Metrics,
        store: AdapterStore,
        lines: Lines,
        platforms: Platforms,
        outbox: Outbox,
        answers: AnswerRepository,
        pastes: Pastes,
        backlog: Backlog,
        welcomes: Welcomes,
        letters: Letters,
        links: LinkRepository,
        compose: Callable[[Configuration], ChatParts],
        configuration: Configuration,
    ) -> None:
        """`compose` makes the parts that depend on the configuration."""
        self._model = model
        self._guests = Guests()
        self._metrics = metrics
        self._platforms = platforms
        self._outbox = outbox
        self._welcomes = welcomes
        self._letters = letters
        self._links = links
        self._store = store
        self._lines = lines
        self._compose = compose
        self._parts = compose(configuration)
        self._reception = Reception(
            lines=lines, pastes=pastes, backlog=backlog, outbox=outbox, answers=answers, parts=lambda: self._parts
        )
        outbox.settings = self._parts.delivery
        outbox.resume = Leftovers(
            outbox=outbox, platforms=platforms, answer=self._answer_owed, set_aside=self._reception.set_aside
        ).resume
        self._generation = configuration.generation

    @property
    def model(self) -> WatchedModel:
        """The model itself, for requests that are no chat messages."""
        return self._model

    @property
    def generation(self) -> GenerationSettings:
        """How replies are written where nobody says otherwise."""
        return self._generation

    @property
    def metrics(self) -> Metrics:
        """What is measured of the daemon."""
        return self._metrics

    @property
    def book(self) -> ConversationBook:
        """The conversations that are stored."""
        return self._parts.book

    @property
    def people(self) -> PeopleRegister:
        """Who may talk to it, for admins."""
        return self._parts.people

    @property
    def door(self) -> Door:
        """Who may come in."""
        return self._parts.door

    @property
    def store(self) -> AdapterStore:
        """What adapters must still know after a restart."""
        return self._store

    @asynccontextmanager
    async def metered(self, adapter: str, user: str, *, admin: bool) -> AsyncIterator[Meter]:
        """Count a request that is no chat message, and let it finish before the daemon ends."""
        async with self._parts.quotas.metered(Identity(adapter=adapter, user=user), admin=admin) as meter:
            with self._guests.enter(meter):
                yield meter

    async def connecting(self, name: str) -> None:
        """An adapter is about to come up: what is owed there goes before what it will bring."""
        await self._outbox.connecting(name)

    def connected(self, name: str, open_target: OpenTarget) -> None:
        """An adapter is up: what is owed there is delivered, and what waited there answered."""
        self._outbox.connected(name, open_target)

    def disconnected(self, name: str, phase: AdapterPhase, reason: str = "") -> None:
        """The adapter is not up, or not any more."""
        self._platforms.disconnected(name, phase, reason)
        self._lines.free(name)  # nobody waits elsewhere for a platform that is gone

    @property
    def delivery(self) -> DeliveryFigures:
        """How the answers get to people."""
        return self._outbox.figures

    @property
    def adapters(self) -> Sequence[AdapterState]:
        """How each adapter that was ever tried is doing."""
        return self._platforms.states

    @property
    def commands(self) -> Sequence[CommandSpec]:
        """Every command, in the order of a menu."""
        return self._parts.registry.specs

    async def handle(
        self, message: IncomingMessage, target: ReplyTarget, accepted: Callable[[], None] = lambda: None
    ) -> None:
        """Answer one message into `target`; return when the answer is complete.

        Never raises for a failed turn: the person is told instead. Messages of one conversation are answered in
        the order in which `handle` was called. A cancelled call stops the generation; what was written is stored.
        `accepted` is called as soon as nothing of it gets lost any more.
        """
        message = replace(message, text=clean_text(message.text), scope=self._parts.scope)
        async with Delivery(self._outbox.route(target, message.address)) as delivery:
            await self._guarded(message, delivery, accepted)

    async def chat_gone(self, address: ChatAddress) -> None:
        """Nothing can be said there any more."""
        await self._outbox.gone(address)

    async def chat_moved(self, address: ChatAddress, chat: str) -> None:
        """The chat goes on under another id, with its conversations."""
        await self._outbox.moved(address, chat)

    async def apply(self, configuration: Configuration) -> None:
        """Go on with another configuration, from the next message that is served; those that wait stay in line."""
        retired, self._parts = self._parts, self._compose(configuration)
        self._outbox.settings = self._parts.delivery
        self._generation = configuration.generation
        await retired.retire()

    async def offer_claim(self) -> str | None:
        """Where there is no admin yet, show the code in the log that makes the first; return it."""
        return await self._parts.entrance.offer_claim()

    async def tell_admins(self, text: str) -> int:
        """Say something to every admin in private, as soon as it can be; return how many. Raises `StorageError`."""
        return await self._parts.announcer.tell_admins(text)

    async def attend(self) -> None:
        """Do what is due without a message, until this is cancelled."""
        await asyncio.gather(self._welcomes.keep_telling(), self._letters.keep_delivering())

    async def drain(self, timeout_s: float) -> None:
        """Stop serving, for the end of the daemon; return when everybody has been answered one way or the other.

        Replies under way may take `timeout_s` seconds, then they are stopped and stored as far as they came. Messages
        that wait are kept for after the restart, and their people told so. Requests of programs may take as long, and
        are stopped then.
        """
        await self._parts.retire()
        await asyncio.gather(self._lines.drain(timeout_s), self._guests.drain(timeout_s))
        await self._outbox.close()

    async def aclose(self) -> None:
        """Stop what goes on in the background, for an end that nobody had to be drained for."""
        await self._parts.retire()
        await self._outbox.close()

    async def _answer_owed(self, owed: OwedAnswer, target: ReplyTarget) -> None:
        """Answer a message that an earlier process, or connection, has left."""
        ledger = self._outbox.ledger(owed.id, known=owed)
        async with Delivery(self._outbox.route(target, owed.address), ledger) as delivery:
            await self._guarded(owed.message, delivery, lambda: None, owed)

    async def _guarded(
        self,
        message: IncomingMessage,
        delivery: Delivery,
        accepted: Callable[[], None],
        owed: OwedAnswer | None = None,
    ) -> None:
        try:
            await self._let_in(message, delivery, accepted, owed)
        except Exception as error:  # noqa: BLE001 - whatever it is, the person is told and the daemon goes on
            accepted()
            await delivery.end(report(error))

    async def _let_in(
        self, message: IncomingMessage, delivery: Delivery, accepted: Callable[[], None], owed: OwedAnswer | None
    ) -> None:
        """What is not stored is accepted before anything is said: that may take as long as the platform wants."""
        access = await self._admit(message, delivery, accepted)
        if access is None:
            return
        if not message.text and not message.attachments and owed is None:
            accepted()
            await delivery.end(ReplyDone(text=_EMPTY))
            return
        message = replace(message, home=await self._home(message))
        admin = access is Access.ADMIN
        parts = self._parts
        try:
            if parts.presses.is_stop(message):
                parts.presses.to_stop(message, admin=admin).withdraw()
                return
            message = await parts.presses.as_message(message, admin=admin)
        except PressError as error:
            accepted()
            await delivery.note(str(error))
            return
        found = parts.registry.resolve(message.text, admin=admin)
        if found is not None and isinstance(found.command, ImmediateCommand):
            accepted()  # not again and again, should it be what ends the process
            await found.command.run(found.call(message, delivery, admin=admin))
        else:
            await self._reception.receive(message, found, delivery, admin=admin, accepted=accepted, owed=owed)

    async def _admit(self, message: IncomingMessage, delivery: Delivery, accepted: Callable[[], None]) -> Access | None:
        """Whether the message is to be served; None where it was answered, or is to be ignored."""
        parts = self._parts
        access = await parts.access.judge(message)
        said: str | None = None
        if access is not Access.IGNORED:
            said = await parts.entrance.try_claim(message)
            if said is None and access is Access.REFUSED:
                said = await parts.entrance.refuse(message)
            elif said is None and access is Access.DIRECT_REFUSED:
                said = _GROUPS_ONLY
        if said is not None:
            accepted()
            await delivery.end(ReplyDone(text=said))
        served = said is None and access in {Access.ALLOWED, Access.ADMIN}
        if access is Access.ADMIN and served:
            await parts.announcer.saw(message)
        return access if served else None

    async def _home(self, message: IncomingMessage) -> ConversationKey | None:
        """The conversation that a private chat goes on with, where its person was linked to another account."""
        link = await self._links.of(identity_of(message)) if message.direct else None
        if link is None or link.chat != message.chat:
            return None
        return ConversationKey(
            adapter=link.home.adapter, chat=link.home_chat, thread=message.thread, user=link.home.user
        )
