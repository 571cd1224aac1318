"""All commands by their names."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from bot.chat.commands.command import Command, CommandCall
from bot.chat.commands.parser import parse_command
from bot.chat.delivery import Delivery
from bot.errors import InvalidRequestError
from bot.messages import CommandSpec, IncomingMessage


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundCommand:
    """A command, and what was written behind its name."""

    command: Command
    argument: str

    def call(self, message: IncomingMessage, delivery: Delivery, *, admin: bool) -> CommandCall:
        """What the command is given when it runs."""
        return CommandCall(argument=self.argument, message=message, admin=admin, delivery=delivery)


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
    def specs(self) -> tuple[CommandSpec, ...]:
        """What menus and help show."""
        return tuple(command.spec for command in self._commands)

    def resolve(self, text: str, *, admin: bool = False) -> FoundCommand | None:
        """The command that `text` is; None where it is a message.

        Raises `InvalidRequestError` for a name that does not exist, and for words behind one that takes none. What only
        admins may do does not exist for others.
        """
        parsed = parse_command(text)
        if parsed is None:
            return None
        known = {name: each for name, each in self._by_name.items() if admin or not each.spec.admin}
        command = known.get(parsed.name)
        if command is None:
            near = _nearest(parsed.name, known)
            hint = f"Did you mean /{near}?" if near else "Send /help to see what I can do."
            raise InvalidRequestError(f"I know no command /{parsed.name}. {hint}")
        if parsed.argument and not (command.spec.argument or command.any_argument):
            raise InvalidRequestError(
                f"/{parsed.name} stands alone. Please send what follows it as a message of its own."
            )
        return FoundCommand(command=command, argument=parsed.argument)


def _nearest(name: str, commands: Mapping[str, Command]) -> str | None:
    """The name that a person may have meant: the only one that starts so, or one that is spelled much like it."""
    begun = {command.spec.name for known, command in commands.items() if known.startswith(name)}
    if len(begun) == 1:
        return begun.pop()
    close = get_close_matches(name, commands, n=1, cutoff=0.6)
    return close[0] if close else None
