"""A question with a few answers, for one person."""

from collections.abc import Callable, Sequence
from typing import Any

import discord

_PATIENCE_S = 300.0
_MOST = 25


class ChoiceMenu(discord.ui.View):
    """Calls `chosen` with the interaction and the choice; the question goes away then."""

    def __init__(self, choices: Sequence[str], chosen: Callable[[discord.Interaction[Any], str], None]) -> None:
        super().__init__(timeout=_PATIENCE_S)
        self._chosen = chosen
        self._select: discord.ui.Select[Any] = discord.ui.Select(
            options=[discord.SelectOption(label=choice[:100], value=choice[:100]) for choice in choices[:_MOST]]
        )
        self._select.callback = self._answered  # type: ignore[method-assign]
        self.add_item(self._select)

    async def _answered(self, interaction: discord.Interaction[Any]) -> None:
        self.stop()
        self._chosen(interaction, self._select.values[0])
