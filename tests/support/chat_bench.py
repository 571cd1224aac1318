"""The whole chat over a real database and a scripted model."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

from bot.chat.composition import compose_chat
from bot.chat.lines import Lines
from bot.chat.service import ChatService
from bot.messages import ChatAddress, ConversationKey, IncomingMessage
from bot.settings import Configuration
from bot.storage.conversation_repository import ConversationRepository
from bot.storage.database import Database
from bot.storage.records import Conversation, Turn
from bot.storage.summary_repository import SummaryRepository
from bot.storage.turn_repository import TurnRepository
from tests.support.fake_clock import FakeClock
from tests.support.recording_target import RecordingTarget
from tests.support.scripted_engine import ScriptedEngine

CONFIGURATION: dict[str, Any] = {
    "engine": {"n_ctx": 400, "max_waiting_per_user": 4},
    "generation": {"max_tokens": 100},
    "personas": {
        "hearth": {
            "name": "Hearth",
            "description": "a friend",
            "system_prompt": "Be kind.",
            "welcome_message": "Hello!",
        },
        "pirate": {"description": "a sailor", "system_prompt": "Talk like a pirate."},
    },
    "permissions": {"open": True},
}


class ChatBench:
    """What a test of the chat needs within reach."""

    def __init__(self, path: Path, database: Database, configuration: dict[str, Any]) -> None:
        settings = Configuration.model_validate(CONFIGURATION | configuration)
        self.path = path
        self.database = database
        self.engine = ScriptedEngine(n_ctx=settings.engine.n_ctx)
        self.clock = FakeClock()
        self.conversations = ConversationRepository(database)
        self.turns = TurnRepository(database)
        self.summaries = SummaryRepository(database)
        self.service: ChatService = compose_chat(
            configuration=settings, generator=self.engine, database=database, clock=self.clock
        )
        self.told: dict[tuple[str, str], RecordingTarget] = {}
        """What was said unasked, by adapter and chat, on platforms that are connected."""

    def connect(self, name: str = "test", *, buttons: bool = False) -> None:
        """Bring a platform up on which things can be said unasked."""

        def open_target(address: ChatAddress) -> RecordingTarget:
            target = self.told.setdefault((address.adapter, address.chat), RecordingTarget())
            target.limits = replace(target.limits, buttons=buttons)
            return target

        self.service.connected(name, open_target)

    @property
    def lines(self) -> Lines:
        """Where messages wait."""
        return self.service._lines

    @property
    def summarising(self) -> list[asyncio.Task[None]]:
        """Summaries that are being written, or wait for a quiet moment."""
        return [*self.service._parts.summariser._tasks.values()]

    async def come_up(self, target: RecordingTarget) -> None:
        """The platform comes up, and can be written to unasked; return when what is owed there is done."""
        self.service.connected("test", lambda _address: target)
        await self.service._outbox.idle()

    async def pause(self) -> None:
        """Let a second go by in which nobody needs the model, and what it is used for then come to its end."""
        tasks = self.summarising
        await self.clock.asleep(1)
        self.clock.advance(1)
        await asyncio.gather(*tasks)

    def message(self, text: str, *, user: str = "ann", **fields: Any) -> IncomingMessage:
        """A message in the user's private chat, with an id of its own."""
        fields = {"adapter": "test", "chat": user, "message_id": uuid4().hex, **fields}
        return IncomingMessage(user=user, text=text, **fields)

    async def say(self, text: str, **fields: Any) -> RecordingTarget:
        """Send a message and wait for its answer."""
        target = RecordingTarget()
        await self.service.handle(self.message(text, **fields), target)
        return target

    def start(self, text: str, **fields: Any) -> tuple[asyncio.Task[None], RecordingTarget]:
        """Send a message without waiting."""
        target = RecordingTarget()
        return asyncio.create_task(self.service.handle(self.message(text, **fields), target)), target

    async def conversation(self, user: str = "ann") -> Conversation:
        """The user's current conversation."""
        key = ConversationKey(adapter="test", chat=user, thread="", user=user)
        return await self.conversations.current(key, default_persona="hearth")

    async def stored(self, user: str = "ann") -> list[Turn]:
        """The turns of the user's current conversation."""
        return await self.turns.all((await self.conversation(user)).id)
