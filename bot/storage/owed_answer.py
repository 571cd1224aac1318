"""An answer that somebody waits for."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from bot.messages import ChatAddress, IncomingMessage

AnswerState = Literal["waiting", "writing", "finished", "delivered", "dropped"]
"""`waiting`: the message stands in line. `writing`: it is being answered. `finished`: there is an answer, not all of
which has been shown. `delivered`: all of it has. `dropped`: it will not be shown, and no more of it is tried."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SentPart:
    """A message on the platform that shows a part of an answer."""

    message_id: str
    start: int
    """Where the part begins in the answer's text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwedAnswer:
    """A message that was accepted, and what has become of its answer so far."""

    id: int
    message: IncomingMessage
    """As it came; without its attachments, whose text is part of its own once they were read."""
    unread: tuple[str, ...]
    """Names of attachments that had not been read yet."""
    state: AnswerState
    turn_id: int | None
    """The turn that it is, or rewrites."""
    reply: str | None
    """What is to be shown; None until it is finished, and once it was delivered."""
    error: str | None
    """The error's code, where `reply` reports one."""
    sent: tuple[SentPart, ...]
    """What is on the platform, in order."""
    unsure: bool
    """Some of it may be there twice."""
    received_at: datetime
    finished_at: datetime | None

    @property
    def address(self) -> ChatAddress:
        """Where it goes."""
        return self.message.address
