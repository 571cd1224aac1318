"""The conversations that are open or being answered."""

import asyncio
import logging
from collections.abc import AsyncIterator

from adapters.web.page.action import Action
from adapters.web.page.exchange import Exchange
from adapters.web.page.file_shelf import FileShelf
from adapters.web.page.late_target import LateTarget
from adapters.web.page.room import Room
from adapters.web.page.web_target import WebTarget
from bot.adapter import ChatCore
from bot.messages import ChatAddress, ConversationKey, IncomingMessage

_LOGGER = logging.getLogger(__name__)
MOST_RUNNING = 20
"""Messages of one person that may be under way at the same time. How many may wait for their answers is the core's."""
_MOST_KEPT = 500
"""Rooms that are kept only because something in them can still be shown."""


class Rooms:
    """Has messages answered, whether a browser waits for the answer or not."""

    def __init__(self, core: ChatCore, shelf: FileShelf) -> None:
        self._core = core
        self._shelf = shelf
        self._rooms: dict[ConversationKey, Room] = {}
        self._running: dict[asyncio.Task[None], str] = {}
        self._closing = False

    def busy(self, user: str) -> bool:
        """Whether this person should wait before sending more."""
        return list(self._running.values()).count(user) >= MOST_RUNNING

    def answer(self, message: IncomingMessage, action: Action, *, about: str) -> None:
        """Hand a message to the core and return at once."""
        room = self._room(message.key)
        files = tuple(attachment.name for attachment in message.attachments)
        exchange = room.begin(action, text=message.text, about=about, files=files)
        task = asyncio.create_task(self._answer(message, room, exchange), name=f"page answer {message.message_id}")
        self._running[task] = message.user
        task.add_done_callback(self._ended)

    async def events(self, key: ConversationKey) -> AsyncIterator[str]:
        """What happens in a conversation, as Server-Sent Events."""
        room = self._room(key)
        try:
            async for event in room.events():
                yield event
        finally:
            self._tidy()

    def target(self, address: ChatAddress) -> LateTarget:
        """Where something is said that answers no message at hand."""
        key = ConversationKey(
            adapter=address.adapter, chat=address.chat, thread=address.thread, user=address.user or address.chat
        )
        return LateTarget(self._room(key), self._shelf, user=key.user, about=address.reply_to or "")

    def forget(self, key: ConversationKey) -> None:
        """The conversation was deleted."""
        room = self._rooms.pop(key, None)
        if room is not None:
            room.close()

    async def drain(self) -> None:
        """Return when every answer is complete; every browser is sent away then, to come back after a restart."""
        if self._running:
            await asyncio.wait(list(self._running))
        self._close()

    async def aclose(self) -> None:
        """Stop every answer."""
        tasks = list(self._running)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._close()

    async def _answer(self, message: IncomingMessage, room: Room, exchange: Exchange) -> None:
        try:
            await self._core.handle(message, WebTarget(exchange, self._shelf, user=message.user))
        finally:
            room.end(exchange)
            self._tidy()

    def _ended(self, task: asyncio.Task[None]) -> None:
        del self._running[task]
        if not task.cancelled() and (error := task.exception()) is not None:
            _LOGGER.error("an answer failed", exc_info=error)

    def _room(self, key: ConversationKey) -> Room:
        room = self._rooms.setdefault(key, Room())
        if self._closing:
            room.close()
        return room

    def _close(self) -> None:
        """Send every browser away, and whoever comes back before the port is closed."""
        self._closing = True
        for room in self._rooms.values():
            room.close()

    def _tidy(self) -> None:
        """Let go of rooms that nobody needs, and of the oldest that are kept for their last words alone."""
        kept = {key: room for key, room in self._rooms.items() if not room.idle}
        spare = [key for key, room in kept.items() if room.left_alone]
        for key in spare[: max(0, len(spare) - _MOST_KEPT)]:
            del kept[key]
        self._rooms = kept
