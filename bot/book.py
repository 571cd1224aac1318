"""What a person has said before: for platforms that keep no list of conversations themselves, such as a web page."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from bot.messages import ConversationKey, ReplyFacts

PastStatus = Literal["pending", "done", "failed", "interrupted"]
"""`pending`: being answered now. `failed` and `interrupted`: there is no answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonaCard:
    """A persona as people choose it."""

    key: str
    name: str
    description: str
    welcome_message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """A conversation in a list."""

    chat: str
    thread: str
    title: str
    """The name it was given; where it has none, the start of its first message."""
    persona: str
    """Key of the persona that answers in it."""
    changed_at: datetime
    """When its last message came."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PastTurn:
    """A message of the person and what became of it."""

    message_id: str
    text: str
    status: PastStatus
    reply: str | None
    reasoning: str
    """Its thoughts, where the persona shows them."""
    facts: ReplyFacts | None
    """Of the reply; None where there is none."""
    error_code: str | None
    persona: str
    """Key of the persona that answered."""
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenConversation:
    """A conversation to read in."""

    title: str
    """Empty where it has neither a name nor a message."""
    persona: str
    turns: Sequence[PastTurn]
    """Oldest first."""


class ConversationBook(Protocol):
    """The conversations that are stored. A key has one at a time; what `/new` put aside is not shown.

    Every method raises `StorageError`.
    """

    @property
    def personas(self) -> Sequence[PersonaCard]:
        """Who can be talked to, the default one first."""
        ...

    async def headings(self, adapter: str, user: str, *, search: str = "", limit: int = 200) -> Sequence[Heading]:
        """A person's conversations that have a message, latest first; with `search`, those that hold this text."""
        ...

    async def read(self, key: ConversationKey) -> OpenConversation | None:
        """The conversation of `key`; None where there is none."""
        ...

    async def rename(self, key: ConversationKey, title: str) -> bool:
        """Give it a name, or with an empty one take the name away; False where there is no such conversation."""
        ...

    async def delete(self, key: ConversationKey) -> bool:
        """Stop what is being written in it and delete it for good; False where there is no such conversation."""
        ...
