"""What is said besides an answer."""

from dataclasses import dataclass

from bot.messages import ReplyEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A sentence for the person that is no part of the reply, shown as a message of its own."""

    text: str


ChatEvent = ReplyEvent | Notice
"""What the answer to one message consists of."""
