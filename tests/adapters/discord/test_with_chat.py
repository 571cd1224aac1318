"""The adapter and the whole chat, with a scripted model."""

import asyncio
import re
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
    thought = asyncio.Event()
    reply = bench.engine.enqueue("Once upon", " a time", held=True, pace=thought.wait)
    async with FakeDiscord.serve() as fake:
        settings = DiscordSettings(token=SecretStr(TOKEN), api_base=fake.base, gateway_url=fake.gateway)
        adapter = DiscordAdapter(name="discord", settings=settings, core=bench.service)
        try:
            await adapter.start()
            bench.service.connected("discord", adapter.target)
            await fake.say("Tell me a story.", user="7", channel="70")
            await fake.until(lambda: any(call.path.endswith("/typing") for call in fake.calls))
            thought.set()
            await fake.until(lambda: fake.texts("70"))
            reply.release()
            await fake.until(lambda: any(call.method == "PATCH" for call in fake.calls))
        finally:
            await adapter.aclose()
        assert fake.texts("70") == ["Once upon a time"]
        calls = [f"{call.method} {call.path.split('/')[5]}" for call in fake.calls if "/channels/" in call.path]
        assert calls == ["POST typing", "POST messages", "PATCH messages"]


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


TABLE = "| Fish | Length |\n|---|---|\n" + "\n".join(f"| fish{number} | {number} cm |" for number in range(40))
CODE = "```python\n" + "\n".join(f"print('line {number} of the code')" for number in range(90)) + "\n```"
PROSE = "\n\n".join(" ".join(f"word{block}x{number}" for number in range(80)) for block in range(8))


async def test_a_long_reply_comes_in_several_messages(database: Database, tmp_path: Path) -> None:
    """With code and a table, nothing is lost or cut, and every part is whole by itself."""
    text = f"{PROSE}\n\n{TABLE}\n\n{CODE}\n\nThe end."
    assert len(text) > 9000
    bench = bench_over(database, tmp_path, engine={"n_ctx": 9000}, generation={"max_tokens": 4000})
    bench.engine.enqueue(text)
    async with HostedDiscord.open(bench.service) as hosted:
        await hosted.ann.user.send_dm("Tell me everything.")
        parts = hosted.texts(hosted.ann.user.dm_channel)
    assert all(len(part) <= 2000 for part in parts)
    assert all(part.count("```") % 2 == 0 for part in parts)
    shown = "\n".join(parts)
    for known in (f"word{block}x{number}" for block in range(8) for number in range(80)):
        assert shown.count(known + " ") + shown.count(known + "\n") == 1, known
    for number in range(40):
        assert len(re.findall(rf"fish{number}\s+{number} cm", shown)) == 1
    assert [line for line in shown.splitlines() if line.startswith("print")] == CODE.splitlines()[1:-1]
    assert parts[-1].endswith("The end.")


async def test_a_message_is_read_as_json_from_its_menu(database: Database, tmp_path: Path) -> None:
    """Extract is about the message whose menu it is in; the answer is a table and JSON."""
    bench = bench_over(database, tmp_path)
    bench.engine.enqueue('{"name": "Jason", "age": 25}')
    async with HostedDiscord.open(bench.service) as hosted:
        sent = await hosted.ann.send(hosted.channel, "Jason is 25 years old")
        result = await hosted.ann.context_menu(hosted.channel, "Extract", sent)
        assert result.response is not None
        assert '{"name": "Jason", "age": 25}' in result.response.content
        assert "age   25" in result.response.content


async def test_a_role_can_be_let_in(database: Database, tmp_path: Path) -> None:
    """By its id, on the server where somebody has it; others are not answered there."""
    async with HostedDiscord.open(bench_over(database, tmp_path).service) as hosted:
        role = hosted.guild.create_role("cooks")
        cook = hosted.guild.add_member(hosted.env.create_user("cook"), roles=[role])
        roles = {"allowed_ids": [f"discord:{role.id}"]}
        closed = bench_over(database, tmp_path, permissions={"roles": roles})
        async with hosted.restarted(closed.service):
            await hosted.ann.send(hosted.channel, f"{hosted.mention} let me in")
            await cook.send(hosted.channel, f"{hosted.mention} hello")
            assert hosted.texts() == ["re: hello"]
