"""Where the core writes an answer for the page."""

from mimetypes import guess_type

from adapters.web.page.exchange import Exchange
from adapters.web.page.file_shelf import FileShelf, ShelvedFile
from adapters.web.page.shown_message import OfferedFile
from bot.adapter import ReplyLimits
from bot.errors import MessageGoneError
from bot.messages import OutgoingMessage

LIMITS = ReplyLimits(edit_interval_s=0.05)
"""A browser paints what it is told at once; a message may be of any length."""


class WebTarget:
    """A `ReplyTarget`. Writes into an exchange, whether a browser listens or not: a phone may be asleep."""

    def __init__(self, exchange: Exchange, shelf: FileShelf, *, user: str) -> None:
        self._exchange = exchange
        self._shelf = shelf
        self._user = user

    @property
    def limits(self) -> ReplyLimits:
        """The same for every conversation."""
        return LIMITS

    async def send(self, message: OutgoingMessage) -> str:
        """Show a new message."""
        return self._exchange.add(message)

    async def edit(self, message_id: str, message: OutgoingMessage) -> None:
        """Show another content. Raises `MessageGoneError`."""
        if not self._exchange.change(message_id, message):
            raise MessageGoneError("the page does not show this message any more")

    async def delete(self, message_id: str) -> None:
        """Take it back."""
        self._exchange.remove(message_id)

    async def draft(self, message: OutgoingMessage) -> None:
        """Never called: replies are shown by edits."""

    async def typing(self) -> None:
        """The page shows that by itself, as long as the exchange goes on."""

    async def send_file(self, name: str, data: bytes, caption: str) -> None:
        """Offer a file."""
        media_type = guess_type(name)[0] or "application/octet-stream"
        file_id = self._shelf.put(ShelvedFile(user=self._user, name=name, media_type=media_type, data=data))
        file = OfferedFile(name=name, url=f"/page/files/{file_id}", size=len(data))
        self._exchange.add(OutgoingMessage(text=caption), file)
