"""What the repositories hand out. All are immutable snapshots of rows; times are aware and in UTC."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from bot.messages import ConversationKey, ReplyFacts

TurnStatus = Literal["pending", "done", "failed", "interrupted", "discarded"]
"""`pending`: being answered. `done`: answered, or cancelled half way with what there was. `failed`: no answer came of
it. `interrupted`: the process died before the answer. `discarded`: taken back by the person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """One conversation of one person in one chat; `/new` starts another with the same key."""

    id: int
    key: ConversationKey
    persona: str
    """Key of the persona in the configuration, where it may have been removed since."""
    context_start: int
    """The model is shown the turns from this id on; 0 shows all."""
    created_at: datetime
    title: str = ""
    """The name that the person gave it; empty where there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """A person's message and what became of it."""

    id: int
    conversation_id: int
    message_id: str
    """Id of the person's message on the platform."""
    user: str
    """Who sent it."""
    sender_name: str
    text: str
    status: TurnStatus
    reply: str | None
    """None until there is one. A pending turn that was restarted still has its previous reply."""
    reasoning: str
    """The model's thoughts before the reply; empty where there were none."""
    facts: ReplyFacts | None
    """Of `reply`; None where that is."""
    error_code: str | None
    """Why a failed turn failed."""
    persona: str
    created_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What the oldest turns of a conversation came to, in the model's words."""

    id: int
    conversation_id: int
    through_turn: int
    """Id of the last turn it covers; it covers all before that, too."""
    text: str
    shown: bool
    """It stands in the prompt; otherwise it waits for the next cut."""
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What was read out of one text."""

    id: int
    adapter: str
    user: str
    schema: str
    version: str
    """Of the schema, which may have changed since."""
    source: str
    """Where the text came from, for people: a file's name, or `message`."""
    text: str
    value: Any
    grounding: list[Any]
    """For each value its path, its status and its span in `text`."""
    model: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedSchema:
    """A schema that a person has saved."""

    name: str
    definition: str
    """In the short language."""
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """What one person has used, over all chats of an adapter. Turns that were taken back do not count."""

    conversations: int
    turns: int
    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int
    decode_ms: float

    def plus(self, other: "Totals") -> "Totals":
        """What both have used: two accounts of one person."""
        return Totals(
            conversations=self.conversations + other.conversations,
            turns=self.turns + other.turns,
            prompt_tokens=self.prompt_tokens + other.prompt_tokens,
            cached_tokens=self.cached_tokens + other.cached_tokens,
            completion_tokens=self.completion_tokens + other.completion_tokens,
            decode_ms=self.decode_ms + other.decode_ms,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedConversation:
    """A conversation in a list."""

    chat: str
    thread: str
    title: str
    """The name that the person gave it; empty where there is none."""
    first_text: str
    """Its first message."""
    persona: str
    changed_at: datetime
    """When its last message came."""
