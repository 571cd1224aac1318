"""A process that answers two messages and kills itself in the middle: `python -m tests.support.mortal_chat`.

The platform is a file of JSON lines, which outlives it: each line is a call that was done. The arguments are the
database, that file, and what to do: `serve CALL MOMENT` answers, and dies `before` or `after` that call has its effect;
`resume` goes on as the next process.
"""

import asyncio
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

from bot.adapter import ReplyLimits
from bot.chat.composition import compose_chat
from bot.messages import IncomingMessage, OutgoingMessage
from bot.settings import Configuration
from bot.storage.database import Database
from bot.storage.turn_repository import TurnRepository
from tests.support.scripted_engine import ScriptedEngine

PARAGRAPH = "words and more words, and words again, that go on and on"
MESSAGES = ("first", "second")


def reply_to(text: str) -> str:
    """Three paragraphs, each a message of its own."""
    return "\n\n".join(f"{text} {number}: {PARAGRAPH}" for number in range(3))


class FileTarget:
    """A chat in a file."""

    def __init__(self, path: Path, *, dies_at: int = 0, moment: str = "") -> None:
        self.limits = ReplyLimits(edit_interval_s=0.0, max_length=80)
        self._path = path
        self._dies_at = dies_at
        self._moment = moment
        self._calls = 0

    async def send(self, message: OutgoingMessage) -> str:
        """Add a message."""
        message_id = str(len(self._path.read_text().splitlines()))
        self._do(op="send", id=message_id, text=message.text, notice=message.notice)
        return message_id

    async def edit(self, message_id: str, message: OutgoingMessage) -> None:
        """Change one."""
        self._do(op="edit", id=message_id, text=message.text, notice=message.notice)

    async def delete(self, message_id: str) -> None:
        """Take one away."""
        self._do(op="delete", id=message_id)

    async def draft(self, message: OutgoingMessage) -> None:
        """Never asked for."""

    async def typing(self) -> None:
        """Shows nothing."""

    async def send_file(self, name: str, data: bytes, caption: str) -> None:
        """Never asked for."""

    def _do(self, **call: Any) -> None:
        self._calls += 1
        dies = self._calls == self._dies_at
        if dies and self._moment == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        with self._path.open("a") as file:
            file.write(json.dumps(call) + "\n")
        if dies:
            os.kill(os.getpid(), signal.SIGKILL)


async def live(database: Path, platform: Path, *doing: str) -> None:
    """One life."""
    opened = await Database.open(database, busy_timeout_s=5)
    await TurnRepository(opened).recover()
    engine = ScriptedEngine(n_ctx=2000)
    engine.answer = lambda request: reply_to(request.messages[-1].content)
    configuration = Configuration.model_validate({"permissions": {"open": True}})
    service = compose_chat(configuration=configuration, generator=engine, database=opened)
    if doing[0] == "serve":
        target = FileTarget(platform, dies_at=int(doing[1]), moment=doing[2])
        await asyncio.gather(*(service.handle(_message(text), target) for text in MESSAGES))
    else:
        target = FileTarget(platform)
        service.connected("test", lambda _address: target)
        await service._outbox.idle()
        # The platform hands out again what it believes not to have been taken.
        await asyncio.gather(*(service.handle(_message(text), target) for text in MESSAGES))
    await service.drain(0)
    await opened.aclose()


def _message(text: str) -> IncomingMessage:
    return IncomingMessage(adapter="test", chat="ann", user="ann", message_id=f"id of {text}", text=text)


if __name__ == "__main__":
    asyncio.run(live(Path(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:]))
