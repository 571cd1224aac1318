"""The web adapter on a real port."""

import socket

import httpx2
import pytest

from adapters.web import WebAdapter, WebSettings
from bot.errors import PermanentAdapterError
from tests.support.scripted_core import ScriptedCore
from tests.support.scripted_engine import ScriptedEngine
from tests.support.web_client import web


async def test_it_answers_once_it_has_started() -> None:
    """`start` returns when the port is open, and the address that is told leads there."""
    async with web() as adapter, httpx2.AsyncClient() as client:
        answer = await client.get(f"{adapter.url}/health")
        assert answer.json()["engine"]["model"] == "scripted"
        assert (adapter.announcement() or "").startswith(f"web: {adapter.url}, ")


async def test_a_taken_port_is_for_the_owner_to_mend() -> None:
    """Somebody else's port cannot be had by trying again; the key that chooses another is named."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PermanentAdapterError, match=rf"port {port} .* is taken .* adapters\.web\.port"):
            async with web(port=port):
                pass


async def test_a_host_of_another_machine_is_for_the_owner_to_mend() -> None:
    """An address that this machine does not have is said by its key."""
    with pytest.raises(PermanentAdapterError, match=r"adapters\.web\.host"):
        async with web(host="192.0.2.1", api_keys={"a": {"key": "k" * 16}}):
            pass


async def test_draining_ends_it_and_a_second_life_takes_the_same_port() -> None:
    """After `drain` nobody is let in, `wait` returns, and the port is free."""
    async with web() as adapter:
        port = int(adapter.url.rpartition(":")[2])
        await adapter.drain()
        await adapter.wait()
        async with httpx2.AsyncClient() as client:
            with pytest.raises(httpx2.ConnectError):
                await client.get(f"{adapter.url}/health")
    async with web(port=port) as again:
        assert again.url == adapter.url


async def test_closing_is_safe_at_any_time() -> None:
    """An adapter that never started closes, and so does one that was closed."""
    adapter = WebAdapter(name="web", settings=WebSettings(port=0), core=ScriptedCore(model=ScriptedEngine()))
    await adapter.aclose()
    async with web() as other:
        await other.aclose()
