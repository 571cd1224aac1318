"""What a message asks for, as the page has to show it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from bot.messages import CommandSpec

Kind = Literal["send", "edit", "retry", "continue", "command"]
"""All but the last write a reply to a turn of the conversation."""
_REWRITING: dict[str, Kind] = {"retry": "retry", "continue": "continue"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """Only for showing it: what is done, the core decides."""

    kind: Kind
    command: str = ""
    """Name of the command, without its aliases; empty for a message."""

    @property
    def writes(self) -> bool:
        """Whether a reply of the model belongs to it."""
        return self.kind != "command"


def action_of(text: str, *, edited: bool, commands: Iterable[CommandSpec]) -> Action:
    """Read it off the text."""
    words = text.split(maxsplit=1)
    first = words[0].lower() if words else ""
    if first.startswith("/"):
        names = {name: spec.name for spec in commands for name in (spec.name, *spec.aliases)}
        command = names.get(first[1:])
        if command is not None:
            return Action(kind=_REWRITING.get(command, "command"), command=command)
    return Action(kind="edit" if edited else "send")
