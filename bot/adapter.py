"""The adapter contract: what a chat platform implements, and what it gets to talk to."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

from bot.messages import CommandSpec, IncomingMessage, OutgoingMessage
from bot.settings import AdapterSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyLimits:
    """What a platform allows for one message."""

    edit_interval_s: float
    """Least time between two edits of a streaming message, in seconds."""


class ReplyTarget(Protocol):
    """Where the answer to one message goes. Written by an adapter, used only by the core."""

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

    async def typing(self) -> None:
        """Show that an answer is on its way; called again and again until the answer is sent."""
        ...

    async def send_file(self, name: str, data: bytes, caption: str) -> None:
        """Hand a file to the person."""
        ...


class ChatCore(Protocol):
    """The core as an adapter sees it."""

    @property
    def commands(self) -> Sequence[CommandSpec]:
        """Every command, in the order of a menu."""
        ...

    async def handle(self, message: IncomingMessage, target: ReplyTarget) -> None:
        """Answer one message into `target`; return when the answer is complete.

        Never raises for a failed turn: the person is told instead. Messages of one conversation are answered in
        the order in which `handle` was called. A cancelled call stops the generation.
        """
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
