"""Completion of commands and of their arguments."""

from collections.abc import Iterable, Sequence

from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document

from bot.messages import CommandSpec


class CommandCompleter(Completer):
    """Completes a command after a slash at the beginning, and the known values of its argument."""

    def __init__(self, commands: Sequence[CommandSpec]) -> None:
        self._commands = commands

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:  # noqa: ARG002 - the base class has it
        """Yield what fits the text before the cursor."""
        text = document.text_before_cursor
        if not text.startswith("/") or "\n" in text:
            return
        typed, space, argument = text[1:].partition(" ")
        if space:
            yield from self._arguments(typed, argument.lstrip())
        else:
            yield from self._names(typed)

    def _names(self, typed: str) -> Iterable[Completion]:
        for command in self._commands:
            names = (command.name, *command.aliases)
            name = next((name for name in names if name.startswith(typed.lower())), None)
            if name is not None:
                yield Completion(
                    name,
                    start_position=-len(typed),
                    display=f"/{name} {command.argument}".rstrip(),
                    display_meta=command.summary,
                )

    def _arguments(self, typed: str, argument: str) -> Iterable[Completion]:
        for command in self._commands:
            if typed.lower() in (command.name, *command.aliases):
                for choice in command.choices:
                    if choice.lower().startswith(argument.lower()):
                        yield Completion(choice, start_position=-len(argument))
