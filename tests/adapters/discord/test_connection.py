import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from pydantic import SecretStr

from adapters.discord import DiscordAdapter, DiscordSettings, absence
from bot.errors import PermanentAdapterError, RetryableAdapterError
from tests.support.fake_discord import TOKEN, FakeDiscord
from tests.support.scripted_core import ScriptedCore, echo

pytestmark = pytest.mark.usefixtures("discord_endpoints")


def settings_for(fake: FakeDiscord, **changes: Any) -> DiscordSettings:
    """A section that points to a fake."""
    values = {"token": SecretStr(TOKEN), "api_base": fake.base, "gateway_url": fake.gateway, **changes}
    return DiscordSettings(**values)


@asynccontextmanager
async def made(fake: FakeDiscord, core: ScriptedCore, **changes: Any) -> AsyncIterator[DiscordAdapter]:
    """An adapter that is closed in the end."""
    adapter = DiscordAdapter(name="discord", settings=settings_for(fake, **changes), core=core)
    try:
        yield adapter
    finally:
        await adapter.aclose()


async def test_it_signs_in_and_answers(core: ScriptedCore) -> None:
    """Over real sockets, at the addresses that are configured."""
    async with FakeDiscord.serve() as fake, made(fake, core) as adapter:
        await adapter.start()
        await fake.say("Hello!", user="7", channel="70")
        await fake.until(lambda: fake.texts("70"))
        assert fake.texts("70") == ["Hello!"]
        assert core.received[0].chat == "70"
        assert [call.path for call in fake.calls if call.method == "PUT"] == ["/api/v10/applications/4242/commands"]


async def test_a_wrong_token_is_for_the_owner(core: ScriptedCore) -> None:
    """Trying again cannot help, and the text says where the right one is."""
    async with FakeDiscord.serve() as fake, made(fake, core, token=SecretStr("another")) as adapter:
        with pytest.raises(PermanentAdapterError, match="Reset Token") as caught:
            await adapter.start()
        assert "another" not in str(caught.value)


async def test_a_missing_intent_is_for_the_owner(core: ScriptedCore) -> None:
    """The text names the switch and links to its page."""
    async with FakeDiscord.serve(message_content=False) as fake, made(fake, core) as adapter:
        with pytest.raises(PermanentAdapterError) as caught:
            await adapter.start()
    assert "“Message Content Intent”" in str(caught.value)
    assert "https://discord.com/developers/applications/4242/bot" in str(caught.value)


async def test_no_network_is_tried_again(core: ScriptedCore) -> None:
    """The supervisor does that."""
    async with FakeDiscord.serve() as fake:
        pass
    async with made(fake, core) as adapter:
        with pytest.raises(RetryableAdapterError):
            await adapter.start()


async def test_a_dropped_connection_is_resumed(core: ScriptedCore) -> None:
    """What happened meanwhile is not lost."""
    async with FakeDiscord.serve() as fake, made(fake, core) as adapter:
        await adapter.start()
        await fake.drop()
        await fake.say("Are you there?", user="7", channel="70")
        await fake.until(lambda: fake.texts("70"))
        assert (fake.identified, fake.resumed) == (1, 1)
        assert [message.text for message in core.received] == ["Are you there?"]


async def test_a_long_absence_is_said_and_its_end_too(core: ScriptedCore, monkeypatch: pytest.MonkeyPatch) -> None:
    """discord.py goes on by itself, so the core would never know; then what is owed there can be delivered."""
    monkeypatch.setattr(absence, "AWAY_FOR_S", 0.0)
    async with FakeDiscord.serve() as fake, made(fake, core) as adapter:
        await adapter.start()
        assert core.platforms == {}
        await fake.drop()
        await fake.say("Are you there?", user="7", channel="70")
        await fake.until(lambda: fake.texts("70"))
        assert [(name, phase) for name, phase, _ in core.phases] == [("discord", "retrying")]
        assert "discord" in core.platforms


async def test_a_token_that_was_reset_ends_the_adapter(core: ScriptedCore) -> None:
    """`wait` says so while the bot is running."""
    async with FakeDiscord.serve() as fake, made(fake, core) as adapter:
        await adapter.start()
        await fake.drop(4004)
        with pytest.raises(PermanentAdapterError, match="token"):
            await adapter.wait()


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("MESSAGE_CREATE", {}),
        ("MESSAGE_CREATE", {"id": "x", "channel_id": None}),
        ("MESSAGE_UPDATE", {"id": "1"}),
        ("INTERACTION_CREATE", {"type": 2}),
        ("GUILD_CREATE", {"id": "1", "roles": 3}),
        ("NO_SUCH_EVENT", {"what": "ever"}),
    ],
)
async def test_a_malformed_event_changes_nothing(core: ScriptedCore, name: str, data: Any) -> None:
    """The connection stays, and the next message is answered."""
    async with FakeDiscord.serve() as fake, made(fake, core) as adapter:
        await adapter.start()
        await fake.event(name, data)
        await fake.say("still there?", user="7", channel="70")
        await fake.until(lambda: fake.texts("70"))
        assert (fake.identified, fake.resumed) == (1, 0)


async def test_the_drain_lets_answers_end(core: ScriptedCore) -> None:
    """Nothing more is taken in; what is under way is still sent."""
    going_on = asyncio.Event()

    async def slow(message: Any, target: Any) -> None:
        await going_on.wait()
        await echo(message, target)

    core.answers.append(slow)
    async with FakeDiscord.serve() as fake, made(fake, core) as adapter:
        await adapter.start()
        await fake.say("one", user="7", channel="70")
        await core.arrived.wait()
        await adapter.drain()
        await fake.say("two", user="7", channel="70")
        going_on.set()
        await fake.until(lambda: fake.texts("70"))
    assert [message.text for message in core.received] == ["one"]


async def test_what_was_written_meanwhile_is_answered(core: ScriptedCore) -> None:
    """In chats that the bot knows, after a restart too; what it saw before is not handed over again."""
    async with FakeDiscord.serve() as fake:
        async with made(fake, core) as adapter:
            await adapter.start()
            await fake.say("one", user="7", channel="70")
            await fake.until(lambda: fake.texts("70"))
            while not await core.store.all("discord", "seen/"):
                await asyncio.sleep(0)
        await fake.say("two", user="7", channel="70")
        await fake.say("three", user="7", channel="70")
        async with made(fake, core) as adapter:
            await adapter.start()
            await fake.until(lambda: len(fake.texts("70")) == 3)
            assert fake.texts("70") == ["one", "two", "three"]
    assert [message.text for message in core.received] == ["one", "two", "three"]


async def test_a_proxy_is_used_for_everything(core: ScriptedCore) -> None:
    """The REST API and the gateway: neither name could be resolved here."""
    async with FakeDiscord.serve() as fake:
        port = fake.base.split(":")[2].split("/")[0]
        there = {"api_base": "http://discord.invalid/api/v10", "gateway_url": "ws://discord.invalid/gateway/"}
        fake.gateway = there["gateway_url"]
        async with made(fake, core, **there, proxy=SecretStr(f"http://127.0.0.1:{port}")) as adapter:
            await adapter.start()
            await fake.say("Hello!", user="7", channel="70")
            await fake.until(lambda: fake.texts("70"))
