"""Server-sent events over a real socket: when they begin, and what comes in times of silence."""

import asyncio
from collections.abc import AsyncIterator

import httpx2
import pytest

from adapters.web.event_stream import KEEP_ALIVE_S, PATIENCE_S
from bot.errors import QueueFullError
from tests.adapters.web.conftest import Skip
from tests.support.scripted_engine import ScriptedEngine
from tests.support.web_client import web

CHAT = {"stream": True, "messages": [{"role": "user", "content": "Hello"}]}
PATH = "/v1/chat/completions"


@pytest.fixture
async def client(model: ScriptedEngine) -> AsyncIterator[httpx2.AsyncClient]:
    """One that shows the lines of a stream as they are."""
    async with web(model) as adapter, httpx2.AsyncClient(base_url=adapter.url, timeout=60) as opened:
        yield opened


async def test_a_stream_that_is_silent_is_kept_alive(
    client: httpx2.AsyncClient, model: ScriptedEngine, skip: Skip
) -> None:
    """After ten seconds without a piece a comment comes, and again after ten more; the reply then goes on."""
    reply = model.enqueue("Once", held=True)
    async with client.stream("POST", PATH, json=CHAT) as answer:
        lines = (line async for line in answer.aiter_lines() if line)
        assert "Once" in await anext(lines)
        for _ in range(2):
            skip(KEEP_ALIVE_S)
            assert await anext(lines) == ": keep-alive"
        reply.release()
        assert [line async for line in lines][-1] == "data: [DONE]"


async def test_a_stream_begins_before_its_first_piece(
    client: httpx2.AsyncClient, model: ScriptedEngine, skip: Skip
) -> None:
    """Who has waited for two seconds gets the head of the answer, so that no client takes the server for dead."""
    reply = model.enqueue(held=True)
    async with asyncio.TaskGroup() as group:

        async def wait_then_release() -> None:
            await reply.written.wait()
            skip(PATIENCE_S)

        group.create_task(wait_then_release())
        async with client.stream("POST", PATH, json=CHAT) as answer:
            assert answer.status_code == 200
            assert not reply.released.is_set()
            reply.release()
            assert [line async for line in answer.aiter_lines() if line][-1] == "data: [DONE]"


async def test_a_stream_ends_after_its_error(client: httpx2.AsyncClient, model: ScriptedEngine) -> None:
    """What fails half way is the last event, and the answer is complete for the client's HTTP."""
    model.enqueue("Once", error=QueueFullError("No more."))
    answer = await client.post(PATH, json=CHAT)
    events = [line for line in answer.text.splitlines() if line]
    assert "No more." in events[-1]
    assert "data: [DONE]" not in events
