"""Where the core says something that answers no message at hand, such as a reply from before a restart."""

from adapters.web.page.action import Action
from adapters.web.page.exchange import Exchange
from adapters.web.page.file_shelf import FileShelf
from adapters.web.page.room import Room
from adapters.web.page.web_target import LIMITS, WebTarget
from bot.adapter import ReplyLimits
from bot.messages import OutgoingMessage

_REPLY = Action(kind="send")
_WORD = Action(kind="command")


class LateTarget:
    """A `ReplyTarget`. The exchange begins with the first message and ends with each that is complete.

    What was stored is shown by its conversation then, once; the rest stays as what was said besides.
    """

    def __init__(self, room: Room, shelf: FileShelf, *, user: str, about: str) -> None:
        """`about` is the id of the message that is answered; empty where there is none."""
        self._room = room
        self._shelf = shelf
        self._user = user
        self._about = about
        self._exchange: Exchange | None = None

    @property
    def limits(self) -> ReplyLimits:
        """The same for every conversation."""
        return LIMITS

    async def send(self, message: OutgoingMessage) -> str:
        """Show a new message."""
        message_id = await self._target().send(message)
        self._after(message)
        return message_id

    async def edit(self, message_id: str, message: OutgoingMessage) -> None:
        """Show another content. Raises `MessageGoneError`."""
        await self._target().edit(message_id, message)
        self._after(message)

    async def delete(self, message_id: str) -> None:
        """Take it back."""
        await self._target().delete(message_id)

    async def draft(self, message: OutgoingMessage) -> None:
        """Never called: replies are shown by edits."""

    async def typing(self) -> None:
        """The page shows that by itself, as long as the exchange goes on."""

    async def send_file(self, name: str, data: bytes, caption: str) -> None:
        """Offer a file."""
        await self._target().send_file(name, data, caption)

    def _target(self) -> WebTarget:
        if self._exchange is None:
            self._exchange = self._room.begin(_REPLY if self._about else _WORD, text="", about=self._about)
        return WebTarget(self._exchange, self._shelf, user=self._user)

    def _after(self, message: OutgoingMessage) -> None:
        if message.final and not message.notice and self._exchange is not None and self._exchange.running:
            self._room.end(self._exchange)
