"""What the two kinds of console have in common."""

from typing import Protocol
from uuid import uuid4

from bot.messages import IncomingMessage


class Session(Protocol):
    """One talk, from the first message to the last."""

    async def run(self) -> None:
        """Answer one message after another; return when there are no more."""
        ...

    def drain(self) -> None:
        """Take nothing more in; the reply under way is still shown."""
        ...


def console_message(*, adapter: str, user: str, text: str) -> IncomingMessage:
    """Return what a person typed as a message; a person has one conversation on the console."""
    return IncomingMessage(
        adapter=adapter, chat=user, user=user, sender_name=user, message_id=uuid4().hex, text=text, local=True
    )
