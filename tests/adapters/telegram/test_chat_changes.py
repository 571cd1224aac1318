"""What becomes of chats."""

import pytest

from bot.errors import StorageError
from bot.messages import ChatAddress
from tests.adapters.telegram.conftest import OpenAdapter
from tests.adapters.telegram.test_messages import received
from tests.support.bot_api import BotApiServer
from tests.support.scripted_core import ScriptedCore


async def test_a_bot_that_is_blocked_or_thrown_out_says_so(server: BotApiServer, open_adapter: OpenAdapter) -> None:
    """The core learns which chats are gone; being let in again is no news to it."""
    core = ScriptedCore()
    ann, ben, group = server.private_chat("Ann"), server.private_chat("Ben"), server.group()
    async with open_adapter(core):
        ann.block()
        group.block()
        group.unblock()
        await received(core, server, ben)
    assert core.gone == [
        ChatAddress(adapter="telegram", chat=str(ann.id)),
        ChatAddress(adapter="telegram", chat=str(group.id), direct=False),
    ]


async def test_an_upgraded_group_says_where_it_goes_on(
    server: BotApiServer, open_adapter: OpenAdapter, caplog: pytest.LogCaptureFixture
) -> None:
    """The core learns the new id, and the owner what to change in the configuration."""
    core = ScriptedCore()
    ben, group = server.private_chat("Ben"), server.group()
    async with open_adapter(core):
        new = group.upgrade()
        assert not await received(core, server, ben)
    assert core.moved == [(ChatAddress(adapter="telegram", chat=str(group.id), direct=False), str(new.id))]
    assert f"write telegram:{new.id} now" in caplog.text


async def test_a_change_that_cannot_be_noted_stops_nobody(
    server: BotApiServer, open_adapter: OpenAdapter, caplog: pytest.LogCaptureFixture
) -> None:
    """A database that fails is logged, and the next message answered."""

    class Broken(ScriptedCore):
        async def chat_gone(self, address: ChatAddress) -> None:
            raise StorageError("the disk is full")

    core = Broken()
    ann, ben = server.private_chat("Ann"), server.private_chat("Ben")
    async with open_adapter(core):
        ann.block()
        await received(core, server, ben)
    assert "the disk is full" in caplog.text
