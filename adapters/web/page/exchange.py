"""One message of the person, and everything that is answered to it."""

import itertools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from adapters.web.page.action import Action
from adapters.web.page.shown_message import OfferedFile, ShownMessage
from bot.messages import OutgoingMessage

Publish = Callable[[dict[str, Any]], None]


class Exchange:
    """Holds what the page shows while it goes on, so that a browser that comes later sees the same."""

    def __init__(
        self, *, exchange_id: str, action: Action, text: str, about: str, files: tuple[str, ...], publish: Publish
    ) -> None:
        """`about` is the id of the message whose reply is written; `files` are names."""
        self.id = exchange_id
        self.action = action
        self.running = True
        self.messages: dict[str, ShownMessage] = {}
        self._text = text
        self._about = about
        self._files = files
        self._publish = publish
        self._ids = itertools.count(1)

    def json(self) -> dict[str, Any]:
        """All of it."""
        return {
            "id": self.id,
            "action": self.action.kind,
            "command": self.action.command,
            "text": "" if self.action.kind in {"retry", "continue"} else self._text,
            "about": self._about,
            "files": self._files,
            "running": self.running,
            "messages": [message.json() for message in self.messages.values()],
        }

    def add(self, content: OutgoingMessage, file: OfferedFile | None = None) -> str:
        """Show a new message, and return its id."""
        message = ShownMessage(id=str(next(self._ids)), content=content, file=file)
        self.messages[message.id] = message
        self._tell({"type": "message", "message": message.json()})
        return message.id

    def change(self, message_id: str, content: OutgoingMessage) -> bool:
        """Show another content in the same place; False where there is no such message."""
        known = self.messages.get(message_id)
        if known is None:
            return False
        self.messages[message_id] = replace(known, content=content)
        self._tell(known.change(content))
        return True

    def remove(self, message_id: str) -> None:
        """Take a message back."""
        if self.messages.pop(message_id, None) is not None:
            self._tell({"type": "gone", "id": message_id})

    def begin(self) -> None:
        """Tell that it is there."""
        self._publish({"type": "begun", "begun": self.json()})

    def end(self) -> None:
        """Nothing more will come."""
        self.running = False
        self._tell({"type": "ended"})

    def _tell(self, event: dict[str, Any]) -> None:
        self._publish({**event, "exchange": self.id})
