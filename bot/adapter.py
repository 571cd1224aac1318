"""The adapter contract: what a chat platform implements, and what it gets to talk to."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import ClassVar, Literal, Protocol

from bot.adapter_state import AdapterPhase, AdapterState
from bot.adapter_store import AdapterStore
from bot.book import ConversationBook
from bot.check import Check
from bot.figures import EngineFigures, RequestFigures
from bot.generation import Generation
from bot.messages import ChatAddress, CommandSpec, IncomingMessage, OutgoingMessage
from bot.metering import Meter
from bot.metrics import Metrics
from bot.people import Door, PeopleRegister
from bot.request import ChatMessage, EngineStatus, GenerationRequest
from bot.settings import AdapterSettings, GenerationSettings, ReasoningMode

StreamMode = Literal["edit", "draft", "off"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """At most so many calls in any so many seconds; a typing sign is none."""

    calls: int
    per_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyLimits:
    """What a platform allows for one message."""

    edit_interval_s: float
    """Least time between two edits of a streaming message, in seconds; the core takes more as the text grows."""
    max_length: int | None = None
    """Longest message, in the unit of `measure`; None where there is no limit."""
    measure: Callable[[str], int] = len
    """How long a Markdown text counts once it is rendered for this platform."""
    stream: StreamMode = "edit"
    """How a reply is shown while it is written."""
    buttons: bool = False
    """Whether buttons can be shown."""
    per_chat: tuple[Allowance, ...] = ()
    """How much may be sent, edited and deleted in one chat. The core keeps to it; edits in passing are left out."""
    overall: tuple[Allowance, ...] = ()
    """The same in all of the platform's chats together."""


class ReplyTarget(Protocol):
    """Where the answer to one message goes. Written by an adapter, used only by the core.

    Its methods raise a `DeliveryError` where the platform says what is the matter. They do not wait and try again
    themselves: that is the core's.
    """

    @property
    def limits(self) -> ReplyLimits:
        """The platform's limits in this chat."""
        ...

    async def send(self, message: OutgoingMessage) -> str:
        """Show a new message and return its id on the platform."""
        ...

    async def edit(self, message_id: str, message: OutgoingMessage) -> None:
        """Replace the content of a message sent before."""
        ...

    async def delete(self, message_id: str) -> None:
        """Take back a message sent before."""
        ...

    async def draft(self, message: OutgoingMessage) -> None:
        """Show what will be sent; called only where `limits.stream` is "draft"."""
        ...

    async def typing(self) -> None:
        """Show that an answer is on its way; called again and again until the answer is sent."""
        ...

    async def send_file(self, name: str, data: bytes, caption: str) -> None:
        """Hand a file to the person."""
        ...


OpenTarget = Callable[[ChatAddress], ReplyTarget | None]
"""Makes a target for an address; None where nothing can be said unasked."""


class ModelAccess(Protocol):
    """The model, for adapters that offer it to programs. Shares the line, the fairness and the KV cache of the chat."""

    @property
    def n_ctx(self) -> int:
        """Window of one conversation, in tokens: prompt and reply together."""
        ...

    def submit(self, request: GenerationRequest) -> Generation:
        """Put a request in the line.

        Raises `EngineLostError` and `QueueFullError`; every other failure is a `GenerationFailed` event.
        """
        ...

    async def count_prompt_tokens(
        self, messages: Sequence[ChatMessage], *, reasoning: ReasoningMode = "hide", continue_final: bool = False
    ) -> int:
        """Exact number of tokens of a prompt."""
        ...

    def status(self) -> EngineStatus:
        """What it is doing now."""
        ...


class WatchedModel(ModelAccess, Protocol):
    """The model, for those who also look after it."""

    def figures(self) -> EngineFigures:
        """What it did so far, and how fast it is."""
        ...

    def requests(self) -> Sequence[RequestFigures]:
        """Every request that is waiting or served, in the order they came."""
        ...

    def cancel(self, request_id: int) -> None:
        """Stop a request wherever it is; nothing happens where it has ended."""
        ...


class ChatCore(Protocol):
    """The core as an adapter sees it."""

    @property
    def model(self) -> WatchedModel:
        """The model itself, for requests that are no chat messages."""
        ...

    @property
    def generation(self) -> GenerationSettings:
        """How replies are written where nobody says otherwise."""
        ...

    @property
    def book(self) -> ConversationBook:
        """The conversations that are stored, for platforms that keep no list of them."""
        ...

    @property
    def people(self) -> PeopleRegister:
        """Who may talk to it, for admins."""
        ...

    @property
    def door(self) -> Door:
        """Who may come in, for adapters that know people by keys."""
        ...

    @property
    def store(self) -> AdapterStore:
        """What an adapter must still know after a restart."""
        ...

    @property
    def metrics(self) -> Metrics:
        """What is measured of the daemon."""
        ...

    @property
    def commands(self) -> Sequence[CommandSpec]:
        """Every command, in the order of a menu; those of admins are not for everybody's."""
        ...

    def metered(self, adapter: str, user: str, *, admin: bool) -> AbstractAsyncContextManager[Meter]:
        """For requests to `model` that are no chat messages: counts them among what their person may have.

        Entering raises `QuotaExceededError`, `StoppingError` when the daemon ends, and `StorageError`. A daemon that
        ends waits for the block; what takes too long is stopped by what the meter was given to `watch`.
        """
        ...

    async def connecting(self, name: str) -> None:
        """An adapter is about to be started: what is owed there goes before what it hands in. Called as `connected`."""
        ...

    def connected(self, name: str, open_target: OpenTarget) -> None:
        """An adapter is up: what waits to be delivered there can be. Called by its supervisor.

        An adapter that goes on through an outage by itself calls this, and `disconnected`, for that.
        """
        ...

    def disconnected(self, name: str, phase: AdapterPhase, reason: str = "") -> None:
        """The adapter is not up, or not any more; `reason` is for the owner."""
        ...

    @property
    def adapters(self) -> Sequence[AdapterState]:
        """How each adapter that was ever tried is doing."""
        ...

    async def handle(
        self, message: IncomingMessage, target: ReplyTarget, accepted: Callable[[], None] = lambda: None
    ) -> None:
        """Answer one message into `target`; return when the answer is complete.

        Never raises for a failed turn: the person is told instead. Messages of one conversation are answered in
        the order in which `handle` was called. A cancelled call stops the generation.

        `accepted` is for platforms that hand a message out until it is confirmed. It is called as soon as that may
        be done: once the message is stored, and will be answered even if the process dies; or once it is clear that
        it is not going to be stored, because it is refused, is answered at once, or cannot be. Where `handle` returns
        without it, there was nothing to do, and the message may be confirmed as well. It may be called twice.
        """
        ...

    async def chat_gone(self, address: ChatAddress) -> None:
        """Nothing can be said there any more: blocked, thrown out, deleted. Raises `StorageError`."""
        ...

    async def chat_moved(self, address: ChatAddress, chat: str) -> None:
        """The chat goes on under another id, with its conversations. Raises `StorageError`."""
        ...


class Adapter(ABC):
    """One chat platform. An adapter translates; it decides nothing.

    `name` is the key under `adapters` in the YAML file and the first part of every conversation's key.
    """

    settings_type: ClassVar[type[AdapterSettings]]

    def __init__(self, *, name: str, settings: AdapterSettings, core: ChatCore) -> None:
        self.name = name
        self.settings = settings
        self.core = core

    def target(self, address: ChatAddress) -> ReplyTarget | None:  # noqa: ARG002 - what most platforms need
        """Where to say something that answers no message at hand, such as a reply from before a restart.

        None on a platform where nothing can be said unasked.
        """
        return None

    def announcement(self) -> str | None:
        """A line for whoever started the daemon, once this is up, such as the address of a page."""
        return None

    @classmethod
    async def examine(cls, name: str, settings: AdapterSettings) -> Sequence[Check]:  # noqa: ARG003 - most need them
        """Ask the platform whether this section can work (the token, what the bot may read), for `hearthbot doctor`.

        Nothing is changed there, so a daemon that runs with the same token is not disturbed. Never raises: what went
        wrong is a finding, with what to do about it. `name` begins the name of each.
        """
        return ()

    @abstractmethod
    async def start(self) -> None:
        """Connect; messages are being received when this returns.

        Raises `PermanentAdapterError` for what the owner must fix, `RetryableAdapterError` for what may pass.
        """

    @abstractmethod
    async def wait(self) -> None:
        """Return when the adapter has nothing more to do (a console that was left); raise when it is lost."""

    @abstractmethod
    async def drain(self) -> None:
        """Stop taking messages in; answers under way are still sent."""

    @abstractmethod
    async def aclose(self) -> None:
        """Disconnect and free everything. Safe after a failed `start`."""
