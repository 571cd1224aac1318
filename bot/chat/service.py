"""The core of the daemon as adapters see it: what happens to one message."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace

from bot.adapter import OpenTarget, ReplyTarget, WatchedModel
from bot.adapter_state import AdapterPhase, AdapterState
from bot.adapter_store import AdapterStore
from bot.book import ConversationBook
from bot.chat.access import Access, identity_of
from bot.chat.chat_parts import ChatParts
from bot.chat.clock import Clock
from bot.chat.commands.command import ImmediateCommand, LineCommand
from bot.chat.commands.registry import FoundCommand
from bot.chat.delivery import Delivery
from bot.chat.failure import report
from bot.chat.lines import Lines
from bot.chat.message_text import clean_text
from bot.chat.platforms import Platforms
from bot.chat.reply import show_reply
from bot.chat.ticket import Ticket
from bot.chat.turn_writer import TurnWriter
from bot.chat.welcomes import Welcomes
from bot.messages import CommandSpec, ConversationKey, IncomingMessage, ReplyDone, ReplyError
from bot.metering import Meter
from bot.people import PeopleRegister
from bot.settings import Configuration, GenerationSettings
from bot.storage.access_records import Identity
from bot.storage.link_repository import LinkRepository

_GROUPS_ONLY = "I only answer in groups here. Please write to me there."
_EMPTY = "Your message is empty. Write me something, or send /help to see what I can do."
_FILE_ONLY = "I cannot read files yet. Please write me what it is about."
_FILES_IGNORED = "(I cannot read files yet; I answer your text alone.)"
_KEPT = "I am being restarted. Your message is kept: send /retry in a minute, and I answer it."
_NOT_RUN = "I am being restarted. Please send that again in a minute."


class ChatService:
    """Lets a message in, puts it in the line of its conversation, and has it answered. A `ChatCore`."""

    def __init__(
        self,
        *,
        model: WatchedModel,
        store: AdapterStore,
        lines: Lines,
        clock: Clock,
        platforms: Platforms,
        welcomes: Welcomes,
        links: LinkRepository,
        compose: Callable[[Configuration], ChatParts],
        configuration: Configuration,
    ) -> None:
        """`compose` makes the parts that depend on the configuration."""
        self._model = model
        self._platforms = platforms
        self._welcomes = welcomes
        self._links = links
        self._store = store
        self._lines = lines
        self._clock = clock
        self._compose = compose
        self._parts = compose(configuration)
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
    def book(self) -> ConversationBook:
        """The conversations that are stored."""
        return self._parts.book

    @property
    def people(self) -> PeopleRegister:
        """Who may talk to it, for admins."""
        return self._parts.people

    @property
    def store(self) -> AdapterStore:
        """What adapters must still know after a restart."""
        return self._store

    def metered(self, adapter: str, user: str, *, admin: bool) -> AbstractAsyncContextManager[Meter]:
        """Count a request that is no chat message."""
        return self._parts.quotas.metered(Identity(adapter=adapter, user=user), admin=admin)

    def connected(self, name: str, open_target: OpenTarget) -> None:
        """An adapter is up."""
        self._platforms.connected(name, open_target)

    def disconnected(self, name: str, phase: AdapterPhase, reason: str = "") -> None:
        """The adapter is not up, or not any more."""
        self._platforms.disconnected(name, phase, reason)

    @property
    def adapters(self) -> Sequence[AdapterState]:
        """How each adapter that was ever tried is doing."""
        return self._platforms.states

    @property
    def commands(self) -> Sequence[CommandSpec]:
        """Every command, in the order of a menu."""
        return self._parts.registry.specs

    async def handle(self, message: IncomingMessage, target: ReplyTarget) -> None:
        """Answer one message into `target`; return when the answer is complete.

        Never raises for a failed turn: the person is told instead. Messages of one conversation are answered in
        the order in which `handle` was called. A cancelled call stops the generation; what was written is stored.
        """
        async with Delivery(target, self._clock) as delivery:
            try:
                await self._let_in(message, delivery)
            except Exception as error:  # noqa: BLE001 - whatever it is, the person is told and the daemon goes on
                await delivery.end(report(error))

    async def apply(self, configuration: Configuration) -> None:
        """Go on with another configuration, from the next message that is served; those that wait stay in line."""
        retired, self._parts = self._parts, self._compose(configuration)
        self._generation = configuration.generation
        await retired.retire()

    async def offer_claim(self) -> str | None:
        """Where there is no admin yet, show the code in the log that makes the first; return it."""
        return await self._parts.entrance.offer_claim()

    async def tell_admins(self, text: str) -> int:
        """Say something to every admin in private; return how many were reached. Raises `StorageError`."""
        return await self._parts.announcer.tell_admins(text)

    async def attend(self) -> None:
        """Do what is due without a message, until this is cancelled."""
        await self._welcomes.keep_telling()

    async def drain(self, timeout_s: float) -> None:
        """Stop serving, for the end of the daemon; return when everybody has been answered one way or the other.

        Replies under way may take `timeout_s` seconds, then they are stopped and stored as far as they came. Messages
        that wait are stored for `/retry`, and their people told so.
        """
        await self._parts.retire()
        await self._lines.drain(timeout_s)

    async def aclose(self) -> None:
        """Stop what goes on in the background, for an end that nobody had to be drained for."""
        await self._parts.retire()

    async def _let_in(self, message: IncomingMessage, delivery: Delivery) -> None:
        access = await self._admit(message, delivery)
        if access is None:
            return
        message = replace(message, text=clean_text(message.text), home=await self._home(message))
        if not message.text:
            await delivery.end(ReplyDone(text=_FILE_ONLY if message.attachments else _EMPTY))
            return
        admin = access is Access.ADMIN
        found = self._parts.registry.resolve(message.text, admin=admin)
        if found is not None and isinstance(found.command, ImmediateCommand):
            await found.command.run(found.call(message, delivery, admin=admin))
        else:
            await self._stand_in_line(message, found, delivery, admin=admin)

    async def _admit(self, message: IncomingMessage, delivery: Delivery) -> Access | None:
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

    async def _stand_in_line(
        self, message: IncomingMessage, found: FoundCommand | None, delivery: Delivery, *, admin: bool
    ) -> None:
        if message.edited and self._needs_no_answer(message):
            return
        if found is None and not message.edited:
            delivery.start_typing()
        if found is not None and isinstance(found.command, LineCommand) and found.command.interrupts:
            self._lines.interrupt(message.key)
        if found is None:
            self._parts.quotas.check_waiting(self._lines.waiting_of(message.key), admin=admin)
        with self._lines.place(message, max_waiting=self._parts.max_waiting) as ticket:
            ticket.admin = admin
            await ticket.wait()
            await self._serve(ticket, delivery, admin=admin)

    def _needs_no_answer(self, message: IncomingMessage) -> bool:
        """Whether a new version takes the place of one that still waits, or says what is being answered already."""
        waiting = self._lines.waiting(message.key, message.message_id)
        if waiting is not None:
            waiting.replace(message)
            return True
        serving = self._lines.serving(message.key)
        return serving is not None and serving.about == (message.message_id, message.text)

    async def _serve(self, ticket: Ticket, delivery: Delivery, *, admin: bool) -> None:
        parts = self._parts  # for the whole of this message, whatever the configuration becomes meanwhile
        # Looked at again: an edit may have made another message of it while it waited.
        found = parts.registry.resolve(ticket.message.text, admin=admin)
        if ticket.closed:
            if found is None:
                await parts.writer.set_aside(ticket)
            await delivery.end(ReplyError(code="restarting", text=_KEPT if found is None else _NOT_RUN))
            return
        if found is None:
            await self._answer(parts.writer, ticket, delivery)
        elif isinstance(found.command, LineCommand):  # the others never stand in line
            await found.command.run(found.call(ticket.message, delivery, admin=admin), ticket)

    @staticmethod
    async def _answer(writer: TurnWriter, ticket: Ticket, delivery: Delivery) -> None:
        message = ticket.message
        known = await writer.find(message) if message.edited else None
        if known is not None and known[1].text == message.text:
            return  # platforms also report a link's preview as an edit
        if message.attachments:
            await delivery.note(_FILES_IGNORED)
        events = writer.answer(ticket) if known is None else writer.answer_again(ticket, *known, text=message.text)
        await show_reply(ticket, delivery, events)
