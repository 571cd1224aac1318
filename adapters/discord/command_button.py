"""A button that stands for a command, and still does after a restart: the command is in its id."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import discord

from bot.messages import Button

if TYPE_CHECKING:
    from adapters.discord.bot_client import BotClient

_PREFIX = "hearth:"
_LONGEST_LABEL = 80


class CommandButton(discord.ui.DynamicItem[discord.ui.Button[Any]], template=rf"{_PREFIX}(?P<command>/.+)"):
    """Pressing it is the same as sending its command."""

    def __init__(self, *, label: str, command: str) -> None:
        self.command = command
        super().__init__(discord.ui.Button(label=label[:_LONGEST_LABEL], custom_id=f"{_PREFIX}{command}"))

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """Make it anew for a press; `item` is what the message shows."""
        del interaction
        return cls(label=getattr(item, "label", None) or match["command"], command=match["command"])

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Hand the press to the core."""
        client: BotClient = interaction.client
        client.intake.press(interaction, self.command)


def view_of(buttons: Sequence[Button]) -> dict[str, Any]:
    """The row under a message, as discord.py's methods take it: as `view`, or not at all."""
    if not buttons:
        return {}
    view = discord.ui.View(timeout=None)
    for button in buttons:
        view.add_item(CommandButton(label=button.label, command=button.command))
    return {"view": view}
