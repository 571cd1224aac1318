"""The web adapter on a real port."""

import socket
from datetime import UTC, datetime

import httpx2
import pytest

from adapters.web import WebAdapter, WebSettings
from bot.adapter_state import AdapterState
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


async def test_metrics_are_for_those_who_are_known() -> None:
    """In Prometheus' format, with a key where there are keys."""
    async with web(api_keys={"monitor": {"key": "k" * 16}}) as adapter, httpx2.AsyncClient() as client:
        assert (await client.get(f"{adapter.url}/metrics")).status_code == 401
        answer = await client.get(f"{adapter.url}/metrics", headers={"Authorization": "Bearer " + "k" * 16})
        assert answer.headers["content-type"].startswith("text/plain; version=1.0.0")
        assert "hearthbot_time_to_first_token_seconds_count 0.0" in answer.text


async def test_health_tells_of_every_adapter() -> None:
    """One that is not up makes the whole degraded, and monitors see that without a key."""
    async with web() as adapter, httpx2.AsyncClient() as client:
        since = datetime(2027, 1, 1, tzinfo=UTC)
        adapter.core.adapters = (AdapterState(name="web", phase="up", since=since),)
        assert (await client.get(f"{adapter.url}/health")).json()["status"] == "ok"
        adapter.core.adapters += (AdapterState(name="telegram", phase="stopped", since=since, reason="bad token"),)
        answer = (await client.get(f"{adapter.url}/health")).json()
        assert answer["status"] == "degraded"
        assert answer["adapters"]["telegram"] == {"phase": "stopped", "since": "2027-01-01T00:00:00+00:00"}
        assert "bad token" not in str(answer)
