"""The command that explains the others."""

from collections.abc import Callable, Sequence

from bot.chat.commands.command import Command, CommandCall, ImmediateCommand
from bot.messages import CommandSpec


class HelpCommands:
    """`/help`."""

    def __init__(self, specs: Callable[[], Sequence[CommandSpec]]) -> None:
        """`specs` returns every command, this one among them."""
        self._specs = specs

    def commands(self) -> Sequence[Command]:
        """In the order of a menu."""
        return (
            ImmediateCommand(
                spec=CommandSpec(name="help", summary="Show what I can do"), run=self._help, any_argument=True
            ),
        )

    async def _help(self, call: CommandCall) -> None:
        lines = [f"- {usage(spec)}: {spec.summary}" for spec in self._specs() if call.admin or not spec.admin]
        await call.say("\n".join(["Just write to me, and I answer. Besides, I understand:", "", *lines]))


def usage(spec: CommandSpec) -> str:
    """How a command is written, with its other names."""
    argument = f" {spec.argument}" if spec.argument else ""
    aliases = f" (also {', '.join(f'/{alias}' for alias in spec.aliases)})" if spec.aliases else ""
    return f"/{spec.name}{argument}{aliases}"
