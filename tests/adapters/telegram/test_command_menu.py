"""The commands beside the text field."""

import logging

import pytest

from adapters.telegram import TelegramAdapter
from bot.errors import PermanentAdapterError
from bot.messages import CommandSpec
from tests.adapters.telegram.conftest import OpenAdapter, telegram_settings
from tests.support.bot_api import ApiError, BotApiServer
from tests.support.scripted_core import ScriptedCore

PRIVATE, GROUPS = "all_private_chats", "all_group_chats"


class FullCore(ScriptedCore):
    """With a command for private chats and one for admins."""

    commands = (
        CommandSpec(name="start", summary="Say hello"),
        *ScriptedCore.commands,
        CommandSpec(name="reload", summary="Read the configuration again", admin=True),
    )


async def test_commands_are_listed_by_kind_of_chat(server: BotApiServer, open_adapter: OpenAdapter) -> None:
    """With their summaries, in the core's order; what only admins may do is in nobody's menu."""
    async with open_adapter(FullCore()):
        assert list(server.menus[PRIVATE, ""].items()) == [
            ("start", "Say hello"),
            ("help", "what I can do"),
            ("new", "start over"),
            ("persona", "who I am"),
        ]
        assert list(server.menus[GROUPS, ""]) == ["help", "new", "persona"]


async def test_menus_speak_other_languages(server: BotApiServer, open_adapter: OpenAdapter) -> None:
    """Whoever's app is set to German reads German; what is not translated stays as it is."""
    async with open_adapter(FullCore(), menus={"de": {"help": "Was ich kann"}}):
        assert server.menus[PRIVATE, "de"]["help"] == "Was ich kann"
        assert server.menus[GROUPS, "de"]["new"] == "start over"
        assert server.menus[PRIVATE, ""]["help"] == "what I can do"


async def test_an_unknown_command_in_a_menu_is_refused(server: BotApiServer) -> None:
    """A typo is named with its key."""
    settings = telegram_settings(server, menus={"de": {"halp": "Hilfe"}})
    adapter = TelegramAdapter(name="telegram", settings=settings, core=ScriptedCore())
    with pytest.raises(PermanentAdapterError, match=r"adapters\.telegram\.menus\.de\.halp: there is no such command"):
        await adapter.start()
    await adapter.aclose()


async def test_the_bot_works_without_a_menu(
    server: BotApiServer, open_adapter: OpenAdapter, caplog: pytest.LogCaptureFixture
) -> None:
    """A failure to publish it is logged, and no more."""
    caplog.set_level(logging.WARNING)
    server.fail("setMyCommands", ApiError(400, "Bad Request: something new"))
    ann = server.private_chat()
    async with open_adapter(ScriptedCore()):
        ann.say("hello")
        await server.until(lambda: server.messages(ann))
    assert "the command menu was not updated" in caplog.text
