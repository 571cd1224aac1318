"""The data types that cross the boundary between the core and the adapters. All are immutable."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

FinishReason = Literal["stop", "length", "cancelled", "tool_calls"]
HistoryScope = Literal["user", "chat", "thread"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationKey:
    """Whose conversation it is. Ids are the platform's, as text; `thread` is empty where there is none."""

    adapter: str
    chat: str
    thread: str
    user: str
    """Empty for a conversation that everybody in the chat, or in the thread, shares."""

    @property
    def shared(self) -> bool:
        """Whether several people talk in it."""
        return not self.user


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatAddress:
    """Where something can be said without a message to answer: enough for an adapter to make a `ReplyTarget`."""

    adapter: str
    chat: str
    thread: str = ""
    user: str = ""
    """Whom it is for."""
    direct: bool = True
    reply_to: str | None = None
    """Id of the message it answers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Button:
    """Something to press under a message. Pressing it is the same as sending `command`."""

    label: str
    command: str
    """Such as `/retry`, at most 64 bytes (Telegram's callback data)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file that came with a message. `read` downloads it when the core wants it."""

    name: str
    media_type: str
    size: int
    """Bytes."""
    read: Callable[[], Awaitable[bytes]]


@dataclass(frozen=True, slots=True, kw_only=True)
class IncomingMessage:
    """One message from a person, as an adapter hands it to the core."""

    adapter: str
    chat: str
    user: str
    message_id: str
    text: str
    thread: str = ""
    sender_name: str = ""
    direct: bool = True
    """A private chat, not a group."""
    addressed: bool = True
    """Meant for the bot: a private chat, a mention, a reply to it or a command."""
    reply_to: str | None = None
    """Id of the message this one replies to."""
    reply_text: str = ""
    """What that message says, where the platform tells it; of whoever wrote it."""
    reply_attachments: tuple[Attachment, ...] = ()
    """The files that came with that message."""
    attachments: tuple[Attachment, ...] = ()
    edited: bool = False
    """A new version of the message with the same `message_id`."""
    pressed: str | None = None
    """Id of the message whose button was pressed; `text` is the button's command."""
    roles: tuple[str, ...] = ()
    """The sender's role ids in this chat, where the platform has such a thing."""
    local: bool = False
    """From somebody who has this machine's account (the console): always let in, as an admin."""
    vouched: bool = False
    """From somebody whom the owner gave a key or an invitation: let in, unless blocked since."""
    sent_at: float | None = None
    """When the person sent it, in seconds since 1970, where the platform tells."""
    scope: HistoryScope = "user"
    """Who shares its conversation. Set by the core; adapters leave it alone."""
    home: ConversationKey | None = None
    """Set by the core alone: the conversation of the same person on another platform that this chat goes on with."""

    @property
    def key(self) -> ConversationKey:
        """The conversation this message belongs to. A private chat is one person's whatever the scope."""
        return self.home or self.own_key

    @property
    def own_key(self) -> ConversationKey:
        """The same as long as nobody has linked the chat to another."""
        shared = self.scope != "user" and not self.direct
        return ConversationKey(
            adapter=self.adapter,
            chat=self.chat,
            thread="" if shared and self.scope == "chat" else self.thread,
            user="" if shared else self.user,
        )

    @property
    def address(self) -> ChatAddress:
        """Where it is answered."""
        return ChatAddress(
            adapter=self.adapter,
            chat=self.chat,
            thread=self.thread,
            user=self.user,
            direct=self.direct,
            reply_to=None if self.pressed else self.message_id,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandSpec:
    """A command as adapters show it in their native menus. Names have no leading slash."""

    name: str
    summary: str
    """One line, at most 100 characters (Discord's limit for a command's description)."""
    aliases: tuple[str, ...] = ()
    argument: str = ""
    """How the argument is written in help, such as `[name]`; empty where there is none."""
    choices: tuple[str, ...] = ()
    """Known values of the argument, for completion."""
    admin: bool = False
    """Only admins may give it: nobody else is shown it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Token counts of one reply. `cached_tokens` is the part of `prompt_tokens` that was not evaluated again."""

    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Timings:
    """Durations of one reply in milliseconds."""

    queue_ms: float
    """From submission until a sequence was given to the request."""
    prefill_ms: float
    """From then until the prompt was evaluated."""
    ttft_ms: float
    """From submission to the first token."""
    decode_ms: float
    """From the first token to the last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyFacts:
    """What is known of a finished reply."""

    finish_reason: FinishReason
    usage: Usage
    timings: Timings

    @property
    def prefill_tokens_per_s(self) -> float:
        """Evaluated prompt tokens per second; 0 where nothing was timed."""
        evaluated = self.usage.prompt_tokens - self.usage.cached_tokens
        return evaluated * 1000 / self.timings.prefill_ms if self.timings.prefill_ms else 0.0

    @property
    def decode_tokens_per_s(self) -> float:
        """Generated tokens per second after the first; 0 where nothing was timed."""
        following = max(0, self.usage.completion_tokens - 1)
        return following * 1000 / self.timings.decode_ms if self.timings.decode_ms else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyWaiting:
    """The request stands in the line."""

    position: int
    """1 is next."""
    wait_s: float | None = None
    """Estimated seconds until it is served; None where nothing was measured yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyDelta:
    """A piece of the reply. `reasoning` marks the model's thoughts, sent only where they are shown."""

    text: str
    reasoning: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyDone:
    """The reply is complete. `facts` is None for what no model wrote (a command's answer)."""

    text: str
    facts: ReplyFacts | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyError:
    """The reply failed. `text` is safe to show; `partial` is what had been written before."""

    code: str
    text: str
    partial: str = ""


ReplyEvent = ReplyWaiting | ReplyDelta | ReplyDone | ReplyError
"""Any number of `ReplyWaiting` and `ReplyDelta`, then exactly one `ReplyDone` or `ReplyError`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutgoingMessage:
    """What a `ReplyTarget` shows. `text` is Markdown (CommonMark with tables), within the target's limits.

    While a reply streams, `final` is False and `text` is all of this message so far.
    """

    text: str
    final: bool = True
    facts: ReplyFacts | None = None
    error: str | None = None
    """The error's code, where `text` reports one."""
    buttons: tuple[Button, ...] = ()
    """Under the message; an edit without any removes them."""
    plain: bool = False
    """Show `text` as it is, because the platform refused it as Markdown."""
    notice: bool = False
    """Said besides the answer, such as that old messages were set aside; the answer is a message of its own.

    One that is not `final` (the place in the line) is edited for a while and then deleted. The answer to a press that
    is out of date is a notice too: a platform that can shows it to the one who pressed alone.
    """
