"""Clients that are slow, or many: each is bounded in time and memory, and nobody else is disturbed."""

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from adapters.web import WebAdapter
from adapters.web.body_limit import ALL_BYTES, PROMPT_BYTES, BodyLimit
from adapters.web.patient_protocol import MOST_CONNECTIONS, READ_S, REQUEST_S, PatientProtocol
from bot.messages import IncomingMessage
from tests.adapters.web.conftest import Skip
from tests.support.page_server import page_server
from tests.support.recording_target import RecordingTarget
from tests.support.scripted_engine import ScriptedEngine
from tests.support.until import until
from tests.support.web_client import web

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]
HEALTH = b"GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n"
CHAT = b'{"stream":true,"messages":[{"role":"user","content":"x"}]}'


@asynccontextmanager
async def connections(adapter: WebAdapter, count: int = 1) -> AsyncIterator[list[Connection]]:
    """Open some, and close them."""
    port = int(adapter.url.rpartition(":")[2])
    opened = [await asyncio.open_connection("127.0.0.1", port) for _ in range(count)]
    try:
        yield opened
    finally:
        for _, writer in opened:
            writer.close()
        await asyncio.gather(*(writer.wait_closed() for _, writer in opened), return_exceptions=True)


def held(adapter: WebAdapter) -> list[PatientProtocol]:
    """The server's ends."""
    return list(adapter._server.server_state.connections)  # type: ignore[arg-type]


async def ended(reader: asyncio.StreamReader) -> None:
    """Return when the server has cut the connection."""
    try:
        while await reader.read(65536):
            pass
    except ConnectionResetError:
        pass


def post(body: bytes, length: int | None = None) -> bytes:
    """A request of a program, perhaps one that announces more than it sends."""
    head = "POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
    return f"{head}content-length: {length or len(body)}\r\n\r\n".encode() + body


@pytest.mark.parametrize("requests_before", [0, 1])
@pytest.mark.parametrize("sent", [b"", b"GET / HTTP/1.1\r\nhost:", post(b"1", 9)])
async def test_who_sends_slowly_is_cut_off(skip: Skip, requests_before: int, sent: bytes) -> None:
    """A whole request has to come in time, the first one and a later one; up to then the connection is kept."""
    async with web() as adapter, connections(adapter) as [(reader, writer)]:
        for _ in range(requests_before):
            writer.write(HEALTH)
            await reader.readuntil(b"}")
        writer.write(sent)
        await until(lambda: held(adapter) and not (sent and held(adapter)[0]._request_timer is None))
        skip(REQUEST_S - 1)
        async with httpx2.AsyncClient() as client:  # the server has turned to its connections meanwhile
            assert (await client.get(f"{adapter.url}/health")).status_code == 200
        assert any(each.client == writer.get_extra_info("sockname") for each in held(adapter))
        skip(2)
        await ended(reader)


async def test_who_reads_slowly_is_cut_off(skip: Skip, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stream that nobody reads fills the buffers, waits, and is given up with its generation."""
    full = asyncio.Event()
    pause = PatientProtocol.pause_writing

    def paused(protocol: PatientProtocol) -> None:
        pause(protocol)
        full.set()

    monkeypatch.setattr(PatientProtocol, "pause_writing", paused)
    model = ScriptedEngine(n_ctx=4096)
    reply = model.enqueue(*["x" * 65536] * 400, held=True)
    async with web(model) as adapter, connections(adapter) as [(_, writer)]:
        writer.write(post(CHAT))
        await full.wait()
        while not reply.cancelled.is_set():  # the system's own buffers may take some more now and then
            skip(1)
            await asyncio.sleep(0)
        assert held(adapter) == []


async def test_who_catches_up_in_time_gets_everything(skip: Skip) -> None:
    """The clock of a slow reader starts anew with each pause."""
    model = ScriptedEngine(n_ctx=4096)
    reply = model.enqueue("Once", held=True)
    async with web(model) as adapter, connections(adapter) as [(reader, writer)]:
        writer.write(post(CHAT))
        await reply.written.wait()
        [connection] = held(adapter)
        for _ in range(3):
            connection.pause_writing()
            skip(READ_S - 1)
            await asyncio.sleep(0)
            connection.resume_writing()
        reply.release()
        assert b"Once" in await reader.readuntil(b"[DONE]")


async def test_all_bodies_together_are_bounded() -> None:
    """While 64 MiB are being read, one more is told to come back; when they are gone there is room again."""
    few = {"messages": [{"role": "user", "content": "Hello"}]}
    async with (
        web(ScriptedEngine(n_ctx=4096)) as adapter,
        httpx2.AsyncClient(base_url=adapter.url, timeout=60) as client,
    ):
        assert (await client.post("/v1/chat/completions", json=few)).status_code == 200
        limit = body_limit(adapter)
        async with connections(adapter, ALL_BYTES // PROMPT_BYTES) as opened:
            for _, writer in opened:
                writer.write(post(b" " * (PROMPT_BYTES - 1), PROMPT_BYTES))
                await writer.drain()
            await until(lambda: limit._held >= ALL_BYTES - len(opened))
            answer = await client.post("/v1/chat/completions", json=few)
            assert answer.status_code == 503
            assert answer.json()["error"]["message"] == "Too much is being sent here right now."
            assert int(answer.headers["retry-after"]) > 0
        await until(lambda: not limit._held)
        assert (await client.post("/v1/chat/completions", json=few)).status_code == 200


def body_limit(adapter: WebAdapter) -> BodyLimit:
    """The layer that counts what is being read."""
    layer: Any = adapter._server.config.app
    while not isinstance(layer, BodyLimit):
        layer = getattr(layer, "middleware_stack", None) or getattr(layer, "app", None) or layer._app
    return layer


async def test_a_thousand_connections_disturb_nobody(tmp_path: Path) -> None:
    """Most are told to come back, the others are served; a chat elsewhere is answered; nothing stays behind."""
    async with page_server(tmp_path / "web.db") as server:
        left: list[int] = []
        for wave in range(3):
            async with connections(server.adapter, 1000) as opened:
                refused = [reader.read(12) for reader, _ in opened[MOST_CONNECTIONS:]]
                assert set(await asyncio.gather(*refused)) == {b"HTTP/1.1 503"}
                await until(lambda: len(held(server.adapter)) <= MOST_CONNECTIONS)
                told = RecordingTarget()
                await server.core.handle(_message(wave), told)
                assert told.reply == "re: still there?"
                reader, writer = opened[0]
                writer.write(HEALTH)
                assert await reader.read(12) == b"HTTP/1.1 200"
            await until(lambda: not held(server.adapter))
            del opened, refused, reader, writer
            gc.collect()
            left.append(len(gc.get_objects()))
        assert left[2] - left[1] < 1000, left  # one object a connection would be more


def _message(number: int) -> IncomingMessage:
    """Of somebody on another platform, who was let in."""
    return IncomingMessage(
        adapter="telegram", chat="1", user="1", message_id=str(number), text="still there?", vouched=True
    )
