"""Telegram, the adapter and the whole chat with a scripted model, on one clock."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Self

import httpx

from adapters.telegram import TelegramAdapter
from bot.storage.database import Database
from tests.adapters.telegram.conftest import telegram_settings
from tests.support.bot_api import BotApiServer, Call
from tests.support.chat_bench import ChatBench

STEP_S = 0.25


class ChatWorld:
    """What a test of a talk needs within reach."""

    def __init__(self, bench: ChatBench, server: BotApiServer, adapter: TelegramAdapter) -> None:
        self.bench = bench
        self.server = server
        self.adapter = adapter
        self.clock = bench.clock

    @classmethod
    @asynccontextmanager
    async def open(cls, folder: Path, *, section: dict[str, Any] | None = None, **chat: Any) -> AsyncIterator[Self]:
        """Everything is up; `section` is the adapter's, `chat` the rest of the configuration."""
        path = folder / "chat.db"
        database = await Database.open(path, busy_timeout_s=5)
        bench = ChatBench(path, database, {"delivery": {"join_pastes_s": 0}} | chat)
        try:
            async with BotApiServer(now=bench.clock.now) as server:
                settings = telegram_settings(server, **(section or {}))
                adapter = TelegramAdapter(
                    name="telegram", settings=settings, core=bench.service, sleep=bench.clock.sleep
                )
                try:
                    await adapter.start()
                    bench.service.connected("telegram", adapter.target)
                    server.calls.clear()
                    yield cls(bench, server, adapter)
                finally:
                    await adapter.aclose()
                    await bench.service.aclose()
        finally:
            await database.aclose()

    @property
    def calls(self) -> list[Call]:
        """What the bot called; getMe is what `until` asks."""
        return [call for call in self.server.calls if call.method != "getMe"]

    async def until(self, condition: Callable[[], object], *, most_s: float = 3600, step_s: float = STEP_S) -> None:
        """Let time go by, in steps, until `condition` holds; on the clock that is `most_s` at most."""
        began = self.clock.now()
        async with httpx.AsyncClient() as client:
            while not condition():
                assert self.clock.now() - began < most_s, "it did not come about"
                # What was due goes over the socket before more time passes: a request of our own comes behind it.
                for _ in range(4):
                    await client.get(f"{self.server.base_url}{self.server.token}/getMe")
                if condition():
                    break
                self.clock.advance(step_s)

    async def pass_time(self, seconds: float) -> None:
        """Let so much time go by, in twenty steps."""
        until = self.clock.now() + seconds
        await self.until(lambda: self.clock.now() >= until, step_s=seconds / 20)
