"""The adapter and the whole chat, with a scripted model."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from adapters.discord import DiscordAdapter, DiscordSettings
from bot.storage.database import Database
from tests.support.chat_bench import ChatBench
from tests.support.fake_discord import TOKEN, FakeDiscord
from tests.support.hosted_discord import HostedDiscord


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    """An empty one."""
    opened = await Database.open(tmp_path / "chat.db", busy_timeout_s=5)
    yield opened
    await opened.aclose()


def bench_over(database: Database, tmp_path: Path, **configuration: Any) -> ChatBench:
    """The chat; everybody is let in unless `configuration` says otherwise."""
    return ChatBench(tmp_path / "chat.db", database, configuration)


@pytest.mark.usefixtures("discord_endpoints")
async def test_a_reply_is_streamed_as_edits(database: Database, tmp_path: Path) -> None:
    """Typing, then a message, then the same message with the rest."""
    bench = bench_over(database, tmp_path)
    reply = bench.engine.enqueue("Once upon", " a time", held=True)
    async with FakeDiscord.serve() as fake:
        settings = DiscordSettings(token=SecretStr(TOKEN), api_base=fake.base, gateway_url=fake.gateway)
        adapter = DiscordAdapter(name="discord", settings=settings, core=bench.service)
        try:
            await adapter.start()
            bench.service.connected("discord", adapter.target)
            await fake.say("Tell me a story.", user="7", channel="70")
            await fake.until(lambda: fake.texts("70"))
            reply.release()
            await fake.until(lambda: any(call.method == "PATCH" for call in fake.calls))
        finally:
            await adapter.aclose()
        assert fake.texts("70") == ["Once upon a time"]
        calls = [call.method for call in fake.calls if "/channels/" in call.path and "typing" not in call.path]
        assert calls == ["POST", "PATCH"]
        assert "/typing" in next(call.path for call in fake.calls if "/channels/" in call.path)


async def test_every_command_is_answered(database: Database, tmp_path: Path) -> None:
    """As an application command, with what it asks for."""
    bench = bench_over(database, tmp_path)
    async with HostedDiscord.open(bench.service) as hosted:
        await hosted.ann.user.send_dm("Hello!")
        channel = hosted.ann.user.dm_channel
        assert hosted.texts(channel) == ["re: Hello!"]
        (published,) = hosted.bodies("PUT", "/commands")
        for command in published:
            if command["type"] != 1 or 1 not in command["contexts"]:
                continue
            needed = {option["name"]: "x" for option in command["options"] if option.get("required")}
            before = len(hosted.texts(channel))
            await hosted.ann.user.slash(command["name"], **needed)
            assert len(hosted.texts(channel)) > before, command["name"]


async def test_a_channel_can_be_let_in(database: Database, tmp_path: Path) -> None:
    """With its threads; elsewhere nobody is answered, and a command there leaves nothing behind."""
    async with HostedDiscord.open(bench_over(database, tmp_path).service) as hosted:
        allowed = {"allowed_ids": [f"discord:{hosted.channel.id}"]}
        closed = bench_over(database, tmp_path, permissions={"channels": allowed})
        other = hosted.guild.create_text_channel("other")
        async with hosted.restarted(closed.service, threads=True):
            await hosted.ann.send(hosted.channel, f"{hosted.mention} one")
            (thread,) = hosted.channel.threads
            await hosted.ann.send(thread, "two")
            assert hosted.texts(thread) == ["re: one", "re: two"]
            await hosted.ann.send(other, f"{hosted.mention} three")
            assert other.threads == []
            result = await hosted.ann.slash(other, "help")
            assert result.response is None
            assert hosted.texts(other) == []


async def test_an_edited_message_is_answered_anew(database: Database, tmp_path: Path) -> None:
    """The first answer stays in Discord; the conversation has the second."""
    bench = bench_over(database, tmp_path)
    async with HostedDiscord.open(bench.service) as hosted:
        sent = await hosted.ann.user.send_dm("Helo")
        await hosted.ann.user.edit(sent, "Hello")
        assert hosted.texts(hosted.ann.user.dm_channel)[-1] == "re: Hello"
