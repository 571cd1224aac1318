"""The API on a real socket, with OpenAI's own client."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
from openai import AsyncOpenAI

from tests.support.scripted_engine import ScriptedEngine
from tests.support.web_client import web

Skip = Callable[[float], None]


@pytest.fixture
def model() -> ScriptedEngine:
    """A model that says what it is told to."""
    return ScriptedEngine(n_ctx=4096)


@pytest.fixture
async def client(model: ScriptedEngine) -> AsyncIterator[AsyncOpenAI]:
    """OpenAI's client, which does not try again by itself."""
    async with (
        web(model) as adapter,
        AsyncOpenAI(base_url=f"{adapter.url}/v1", api_key="none needed", max_retries=0) as client,
    ):
        yield client


@pytest.fixture
async def skip(monkeypatch: pytest.MonkeyPatch) -> Skip:
    """Lets so many seconds go by for the event loop's timers, at once."""
    loop = asyncio.get_running_loop()
    time, skipped = loop.time, 0.0

    def advance(seconds: float) -> None:
        nonlocal skipped
        skipped += seconds

    monkeypatch.setattr(loop, "time", lambda: time() + skipped)
    return advance
