"""The list of commands that Telegram shows beside the text field."""

from collections.abc import Mapping, Sequence

from telegram import Bot, BotCommand, BotCommandScopeAllGroupChats, BotCommandScopeAllPrivateChats

from bot.errors import PermanentAdapterError
from bot.messages import CommandSpec

LONGEST_DESCRIPTION = 256
"""https://core.telegram.org/bots/api#botcommand"""
_NOT_IN_GROUPS = frozenset({"start"})
"""A private chat is opened with it; a group is not."""


class CommandMenu:
    """The core's commands, by kind of chat and by language of whoever looks. Those of admins are in nobody's."""

    def __init__(
        self, commands: Sequence[CommandSpec], *, translations: Mapping[str, Mapping[str, str]], name: str
    ) -> None:
        """Raises `PermanentAdapterError` where a command that there is not is translated; `name` is the section's."""
        known = [command.name for command in commands]
        for language, texts in translations.items():
            for command in texts.keys() - set(known):
                raise PermanentAdapterError(
                    f"adapters.{name}.menus.{language}.{command}: there is no such command; known: {', '.join(known)}"
                )
        self._commands = [command for command in commands if not command.admin]
        self._translations = translations

    async def publish(self, bot: Bot) -> None:
        """Set every menu. Raises `TelegramError`."""
        for language in ("", *self._translations):
            every = [self._entry(command, language) for command in self._commands]
            code = language or None
            await bot.set_my_commands(every, scope=BotCommandScopeAllPrivateChats(), language_code=code)
            among_others = [entry for entry in every if entry.command not in _NOT_IN_GROUPS]
            await bot.set_my_commands(among_others, scope=BotCommandScopeAllGroupChats(), language_code=code)

    def _entry(self, command: CommandSpec, language: str) -> BotCommand:
        described = self._translations.get(language, {}).get(command.name, command.summary)
        return BotCommand(command.name, described[:LONGEST_DESCRIPTION])
