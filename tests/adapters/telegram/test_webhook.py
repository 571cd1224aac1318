"""Updates that are posted."""

import socket

import aiohttp
import pytest

from adapters.telegram import TelegramAdapter
from bot.errors import PermanentAdapterError
from tests.adapters.telegram.conftest import OpenAdapter, telegram_settings
from tests.support.bot_api import BotApiServer
from tests.support.scripted_core import ScriptedCore


@pytest.fixture
def port() -> int:
    """One that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def test_a_posted_message_is_answered(server: BotApiServer, open_adapter: OpenAdapter, port: int) -> None:
    """Messages come in order, also those from before the start; nothing is polled."""
    core = ScriptedCore()
    ann = server.private_chat()
    ann.say("zero")
    async with open_adapter(core, webhook={"url": f"http://127.0.0.1:{port}/hook", "port": port}):
        ann.say("one")
        ann.say("two")
        await server.until(lambda: len(server.messages(ann)) == 3)
    assert [message.text for message in core.received] == ["zero", "one", "two"]
    assert not server.polls
    (call,) = server.named("setWebhook")
    assert call.params["max_connections"] == "1"
    assert not call.params.get("drop_pending_updates")


async def test_a_post_is_answered_once_its_message_is_stored(
    server: BotApiServer, open_adapter: OpenAdapter, port: int
) -> None:
    """Until then Telegram keeps it, and posts it again where the process has died."""
    core = ScriptedCore()
    core.storing.clear()
    ann = server.private_chat()
    async with open_adapter(core, webhook={"url": f"http://127.0.0.1:{port}/hook", "port": port}):
        ann.say("one")
        ann.say("two")
        await core.until(1)
        assert server.updates.pending
        core.storing.set()
        await server.until(lambda: server.texts(ann) == ["one", "two"])


async def test_only_telegram_may_post(server: BotApiServer, open_adapter: OpenAdapter, port: int) -> None:
    """Without the secret, or with a wrong one, nothing is taken; nonsense with it is refused."""
    core = ScriptedCore()
    url = f"http://127.0.0.1:{port}/hook"
    async with open_adapter(core, webhook={"url": url, "port": port}), aiohttp.ClientSession() as session:
        secret = server.named("setWebhook")[0].params["secret_token"]
        header = "X-Telegram-Bot-Api-Secret-Token"
        for headers, body, status in (
            ({}, "{}", 403),
            ({header: "guess"}, "{}", 403),
            ({header: secret}, "no JSON", 400),
            ({header: secret}, "{}", 400),
            ({header: secret}, "[1]", 400),
            ({header: secret}, '{"update_id": 5, "message": {"message_id": "x"}}', 200),
        ):
            async with session.post(url, data=body, headers=headers) as answer:
                assert answer.status == status
        async with session.get(f"http://127.0.0.1:{port}/") as answer:
            assert answer.status == 404
    assert not core.received


async def test_a_taken_port_is_permanent(server: BotApiServer) -> None:
    """The owner is told which key to change."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        settings = telegram_settings(server, webhook={"url": "http://127.0.0.1/hook", "port": port})
        adapter = TelegramAdapter(name="telegram", settings=settings, core=ScriptedCore())
        with pytest.raises(PermanentAdapterError, match=rf"webhook: cannot listen on 127\.0\.0\.1, port {port}"):
            await adapter.start()
        await adapter.aclose()


async def test_polling_takes_a_webhook_away(server: BotApiServer, open_adapter: OpenAdapter) -> None:
    """Switching back needs no step by hand, and loses nothing."""
    ann = server.private_chat()
    server.webhook = "https://example.org/hook"
    server.updates.add("message", server.store(ann, sender=ann.owner, text="hello").as_json())
    async with open_adapter(ScriptedCore()):
        await server.until(lambda: server.texts(ann) == ["hello"])
    assert not server.webhook
