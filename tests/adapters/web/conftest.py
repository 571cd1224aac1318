"""The API on a real socket, with OpenAI's own client."""

from collections.abc import AsyncIterator

import pytest
from openai import AsyncOpenAI

from tests.support.scripted_engine import ScriptedEngine
from tests.support.web_client import web


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
