"""The web adapter on a free port, and clients for it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from adapters.web import WebAdapter, WebSettings
from bot.adapter import ModelAccess
from tests.support.scripted_core import ScriptedCore
from tests.support.scripted_engine import ScriptedEngine


@asynccontextmanager
async def web(model: ModelAccess | None = None, **settings: Any) -> AsyncIterator[WebAdapter]:
    """A started adapter on a free port."""
    core = ScriptedCore(model=model or ScriptedEngine())
    adapter = WebAdapter(name="web", settings=WebSettings(**{"port": 0, **settings}), core=core)
    try:
        await adapter.start()
        yield adapter
    finally:
        await adapter.aclose()
