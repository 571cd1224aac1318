"""All commands by their names."""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches

from bot.chat.commands.command import Command
from bot.messages import CommandSpec


class CommandRegistry:
    """The commands in the order of a menu. No name is given twice."""

    def __init__(self, commands: Iterable[Command]) -> None:
        """Raises `ValueError` for a name that two commands claim."""
        self._by_name: dict[str, Command] = {}
        self._commands = tuple(commands)
        for command in self._commands:
            for name in (command.spec.name, *command.spec.aliases):
                if name in self._by_name:
                    raise ValueError(f"two commands are called /{name}")
                self._by_name[name] = command

    @property
    def specs(self) -> Sequence[CommandSpec]:
        """What menus and help show."""
        return tuple(command.spec for command in self._commands)

    def find(self, name: str) -> Command | None:
        """By name or alias."""
        return self._by_name.get(name)

    def nearest(self, name: str) -> str | None:
        """The name that a person may have meant: the only one that starts so, or one that is spelled much like it."""
        begun = {command.spec.name for known, command in self._by_name.items() if known.startswith(name)}
        if len(begun) == 1:
            return begun.pop()
        close = get_close_matches(name, self._by_name, n=1, cutoff=0.6)
        return close[0] if close else None
