"""The core's commands as application commands and message context menus."""

import inspect
import re
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any

import discord
from discord import app_commands

from adapters.discord.choice_menu import ChoiceMenu
from bot.messages import CommandSpec

if TYPE_CHECKING:
    from adapters.discord.bot_client import BotClient

Interaction = discord.Interaction["BotClient"]

_PLACES = app_commands.AppCommandContext(guild=True, dm_channel=True, private_channel=False)
_SERVERS = app_commands.AppCommandContext(guild=True, dm_channel=False, private_channel=False)
_INSTALLS = app_commands.AppInstallationType(guild=True, user=False)
_MOST_CHOICES = 25
_LONGEST_CHOICE = 100
_WORD = re.compile(r"\[?<?([A-Za-z][A-Za-z_-]{0,31})>?\]?")
_FREE = "text"
_WHICH = "Which one?"
_CONTEXT_MENUS = {"Regenerate": "retry", "Continue": "continue", "Extract": "extract"}


class CommandMenu:
    """Builds what Discord shows behind a slash and in the menu of a message. `tree` keeps it."""

    def __init__(self, *, tree: "app_commands.CommandTree[BotClient]", commands: Sequence[CommandSpec]) -> None:
        self._tree = tree
        self._commands = commands

    def build(self) -> None:
        """Add every command."""
        for spec in self._commands:
            self._tree.add_command(self._command(spec))
        known = {spec.name for spec in self._commands}
        for title, name in _CONTEXT_MENUS.items():
            if name in known:
                self._tree.add_command(_context_menu(title, name))

    def _command(self, spec: CommandSpec) -> "app_commands.Command[Any, ..., None]":
        options = _options(spec)

        async def run(interaction: Interaction, **values: str) -> None:
            argument = " ".join(values[name] for name, _ in options if values.get(name))
            interaction.client.intake.command(interaction, f"/{spec.name} {argument}".rstrip())

        async def complete(interaction: Interaction, current: str) -> list[app_commands.Choice[str]]:
            return matching(interaction.client.choices(spec.name), current)

        _sign(run, options)
        app_commands.describe(**{name: spec.argument[:100] for name, _ in options})(run)
        if spec.choices:
            app_commands.autocomplete(**{options[0][0]: complete})(run)
        if spec.admin:
            # Discord can hide a command on servers only, so it is shown nowhere else; written out, it works anywhere.
            app_commands.default_permissions(administrator=True)(run)
        return app_commands.Command(
            name=spec.name,
            description=spec.summary[:100],
            callback=run,
            allowed_contexts=_SERVERS if spec.admin else _PLACES,
            allowed_installs=_INSTALLS,
        )


def matching(choices: Sequence[str], current: str) -> list[app_commands.Choice[str]]:
    """The choices that fit what has been typed, those that begin with it first."""
    typed = current.strip().lower()
    fitting = [choice for choice in choices if typed in choice.lower() and len(choice) <= _LONGEST_CHOICE]
    fitting.sort(key=lambda choice: not choice.lower().startswith(typed))
    return [app_commands.Choice(name=choice, value=choice) for choice in fitting[:_MOST_CHOICES]]


def _options(spec: CommandSpec) -> list[tuple[str, bool]]:
    """Name of each option and whether it must be given.

    One for what follows the command; two where the first word has known values and something may follow it.
    """
    if not spec.argument:
        return []
    first, _, rest = spec.argument.partition(" ")
    word = _WORD.fullmatch(first)
    needed = not spec.argument.startswith("[")
    if word is None or (rest and not spec.choices):
        return [(_FREE, needed)]
    options = [(word[1].lower(), needed)]
    if rest and word[1].lower() != _FREE:
        options.append((_FREE, needed and not rest.startswith("[")))
    return options


def _sign(run: Callable[..., Awaitable[None]], options: Sequence[tuple[str, bool]]) -> None:
    """Give a function the parameters that discord.py makes options of."""
    parameters = [
        inspect.Parameter("interaction", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=discord.Interaction)
    ]
    for name, needed in options:
        default = inspect.Parameter.empty if needed else ""
        kind = inspect.Parameter.KEYWORD_ONLY
        parameters.append(inspect.Parameter(name.replace("-", "_"), kind, annotation=str, default=default))
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]


def _context_menu(title: str, command: str) -> app_commands.ContextMenu:
    async def run(interaction: Interaction, message: discord.Message) -> None:
        intake, choices = interaction.client.intake, interaction.client.choices(command)
        if len(choices) > 1:
            menu = ChoiceMenu(
                choices, lambda answer, choice: intake.command(answer, f"/{command} {choice}", about=message)
            )
            await interaction.response.send_message(_WHICH, view=menu, ephemeral=True)
        else:
            intake.command(interaction, " ".join([f"/{command}", *choices]), about=message)

    run.__annotations__ = {"interaction": discord.Interaction, "message": discord.Message}
    return app_commands.ContextMenu(name=title, callback=run, allowed_contexts=_PLACES, allowed_installs=_INSTALLS)
