"""The web page on a real port, over the whole chat, a real database and a scripted model."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from adapters.web import WebAdapter, WebSettings
from adapters.web.page.session import Holder
from bot.chat.composition import compose_chat
from bot.chat.service import ChatService
from bot.settings import Configuration
from bot.storage.database import Database
from tests.support.scripted_engine import ScriptedEngine

KEY = "anna-has-a-key-of-her-own"
ADMIN_KEY = "the-key-of-the-owner-of-it-all"
KEYS: Mapping[str, Any] = {"anna": {"key": KEY}, "owner": {"key": ADMIN_KEY, "admin": True}}
CONFIGURATION: dict[str, Any] = {
    "engine": {"n_ctx": 4000},
    "personas": {
        "hearth": {
            "name": "Hearth",
            "description": "a friendly helper for everyday questions",
            "welcome_message": "Hello! What is on your mind today?",
        },
        "rosa": {
            "name": "Rosa",
            "description": "what to cook with what is in the house",
            "welcome_message": "Hello, I am Rosa. What is in your kitchen?",
        },
        "finch": {"name": "Mr. Finch", "description": "helps with homework without giving the answer away"},
    },
}


class PageServer:
    """What a test of the page needs within reach."""

    def __init__(self, adapter: WebAdapter, core: ChatService, engine: ScriptedEngine) -> None:
        self.adapter = adapter
        self.core = core
        self.engine = engine

    @property
    def url(self) -> str:
        """Where the page is."""
        return self.adapter.url

    @property
    def link(self) -> str:
        """What the terminal shows."""
        announcement = self.adapter.announcement()
        assert announcement is not None
        return announcement.rpartition(" ")[2]

    async def new_link(self) -> str:
        """Another link like that."""
        holder = Holder(user="local", name="martha", admin=True)
        return f"{self.url}/login#{await self.adapter.page.links.make(holder, timedelta(minutes=5))}"


@asynccontextmanager
async def page_server(
    database: Path,
    *,
    port: int = 0,
    engine: ScriptedEngine | None = None,
    configuration: Mapping[str, Any] | None = None,
    api_keys: Mapping[str, Any] = KEYS,
) -> AsyncIterator[PageServer]:
    """Start it; the database is found again by the next one over the same file."""
    opened = await Database.open(database, busy_timeout_s=5)
    engine = engine or ScriptedEngine(n_ctx=4000)
    core = compose_chat(
        configuration=Configuration.model_validate(CONFIGURATION | dict(configuration or {})),
        generator=engine,
        database=opened,
    )
    settings = WebSettings.model_validate({"port": port, "api_keys": api_keys})
    adapter = WebAdapter(name="web", settings=settings, core=core)
    try:
        await adapter.start()
        yield PageServer(adapter, core, engine)
    finally:
        await adapter.aclose()
        await core.aclose()
        await opened.aclose()
