"""The answer to one line, gathered until it is complete."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from adapters.console.export_folder import ExportFolder
from bot.adapter import ReplyLimits
from bot.messages import OutgoingMessage


class LineTarget:
    """Keeps what the core writes. Text that is still growing is not shown where there is no terminal."""

    def __init__(self, exports: ExportFolder) -> None:
        self._exports = exports
        self._messages: dict[str, OutgoingMessage] = {}
        self._sent = 0
        self._files: list[Path] = []
        self._captions: list[str] = []

    @property
    def limits(self) -> ReplyLimits:
        """An edit costs nothing: only the last one is looked at."""
        return ReplyLimits(edit_interval_s=1.0)

    async def send(self, message: OutgoingMessage) -> str:
        """Keep a message."""
        self._sent += 1
        message_id = str(self._sent)
        self._messages[message_id] = message
        return message_id

    async def edit(self, message_id: str, message: OutgoingMessage) -> None:
        """Keep its newest version."""
        self._messages[message_id] = message

    async def delete(self, message_id: str) -> None:
        """Forget a message."""
        self._messages.pop(message_id, None)

    async def draft(self, message: OutgoingMessage) -> None:
        """Nothing is shown before it is complete."""

    async def typing(self) -> None:
        """Nothing shows that an answer is on its way."""

    async def send_file(self, name: str, data: bytes, caption: str) -> None:
        """Write the file into the export folder."""
        self._files.append(await self._exports.save(name, data))
        if caption:
            self._captions.append(caption)

    @property
    def failed(self) -> bool:
        """Whether an error was reported."""
        return any(message.error for message in self._messages.values())

    @property
    def notices(self) -> list[str]:
        """What was said besides the reply."""
        return [*(message.text for message in self._messages.values() if message.notice), *self._captions]

    def as_text(self) -> str:
        """Return the reply and the paths of its files."""
        parts = [message.text for message in self._replies()]
        return "\n".join([*parts, *map(str, self._files)])

    def as_object(self) -> dict[str, Any]:
        """Return the reply for a program. The keys are always the same; what does not apply is None."""
        replies = self._replies()
        facts = next((message.facts for message in replies if message.facts), None)
        return {
            "text": "\n".join(message.text for message in replies),
            "finish_reason": facts.finish_reason if facts else None,
            "usage": asdict(facts.usage) if facts else None,
            "timings": {name: round(ms, 3) for name, ms in asdict(facts.timings).items()} if facts else None,
            "error": next((message.error for message in replies if message.error), None),
            "files": [str(path) for path in self._files],
        }

    def _replies(self) -> list[OutgoingMessage]:
        return [message for message in self._messages.values() if message.final and not message.notice]
