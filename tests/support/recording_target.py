"""A chat that writes down what it is shown."""

import asyncio
from collections.abc import Callable
from typing import Any

from bot.adapter import ReplyLimits
from bot.errors import MessageGoneError
from bot.messages import OutgoingMessage


class RecordingTarget:
    """Keeps every call in `calls`, and every message as it stands in `messages`."""

    def __init__(self, *, edit_interval_s: float = 1.0, **limits: Any) -> None:
        """`limits` as in `ReplyLimits`."""
        self.limits = ReplyLimits(edit_interval_s=edit_interval_s, **limits)
        self.calls: list[tuple[str, OutgoingMessage]] = []
        self.messages: dict[str, OutgoingMessage] = {}
        self.files: dict[str, bytes] = {}
        self.typed = 0
        self.sent = 0
        self.broken: set[str] = set()
        """Names of methods that raise."""
        self.errors_of: dict[str, list[Exception | None]] = {}
        """What the next calls of a method raise, one each; None lets one through."""
        self.lost = False
        """What fails was shown all the same: only the platform's answer went missing."""
        self.gate = asyncio.Event()
        """`send` and `edit` return only once this is set."""
        self.gate.set()
        self._changed = asyncio.Condition()

    async def send(self, message: OutgoingMessage) -> str:
        """Show a new message."""
        limit = self.limits.max_length
        assert limit is None or self.limits.measure(message.text) <= limit
        assert message.text.strip()
        if self.lost:
            self._show(message)
        await self._note("send", message)
        return self._show(message)

    async def edit(self, message_id: str, message: OutgoingMessage) -> None:
        """Replace a message."""
        await self._note("edit", message)
        if message_id not in self.messages:
            raise MessageGoneError
        self.messages[message_id] = message

    async def delete(self, message_id: str) -> None:
        """Take a message back."""
        if message_id not in self.messages:
            raise MessageGoneError
        await self._note("delete", self.messages[message_id])
        del self.messages[message_id]

    async def draft(self, message: OutgoingMessage) -> None:
        """Show what will be sent."""
        await self._note("draft", message)

    async def typing(self) -> None:
        """Count the signs."""
        self.typed += 1
        if "typing" in self.broken:
            raise ConnectionError("typing")

    async def send_file(self, name: str, data: bytes, caption: str) -> None:
        """Keep the file."""
        if "send_file" in self.broken:
            raise ConnectionError("send_file")
        assert caption
        self.files[name] = data

    @property
    def replies(self) -> list[str]:
        """What stands there in the end, without notices."""
        return [message.text for message in self.messages.values() if message.final and not message.notice]

    @property
    def reply(self) -> str:
        """The one answer."""
        (reply,) = self.replies
        return reply

    @property
    def notices(self) -> list[str]:
        """What was said besides."""
        return [message.text for message in self.messages.values() if message.notice]

    @property
    def errors(self) -> list[str | None]:
        """Codes of the errors that were shown."""
        return [message.error for message in self.messages.values() if message.error]

    async def until(self, condition: Callable[["RecordingTarget"], bool]) -> None:
        """Return when what was shown meets `condition`."""
        async with self._changed:
            await self._changed.wait_for(lambda: condition(self))

    async def _note(self, method: str, message: OutgoingMessage) -> None:
        self.calls.append((method, message))
        async with self._changed:
            self._changed.notify_all()
        await self.gate.wait()
        if self.errors_of.get(method) and (error := self.errors_of[method].pop(0)) is not None:
            raise error
        if method in self.broken:
            raise ConnectionError(method)

    def _show(self, message: OutgoingMessage) -> str:
        self.sent += 1
        self.messages[str(self.sent)] = message
        return str(self.sent)
