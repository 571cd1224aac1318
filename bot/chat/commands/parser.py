"""Tells commands from messages."""

import re
from dataclasses import dataclass

# A name starts with a letter and is followed by the end or by space. So a path (`/etc/passwd is a file`), a fraction,
# `//` and a lone slash are messages. The part after @ is Telegram's way to name one of several bots in a group:
# https://core.telegram.org/bots/features#commands
_COMMAND = re.compile(r"/(?P<name>[^\W\d_]\w*)(?:@\w+)?(?:\s+(?P<argument>.*))?", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedCommand:
    """A name in lower case, without the slash, and what followed it."""

    name: str
    argument: str


def parse_command(text: str) -> ParsedCommand | None:
    """The command that `text` is; None where it is a message."""
    match = _COMMAND.fullmatch(text.strip())
    if match is None:
        return None
    return ParsedCommand(name=match["name"].lower(), argument=(match["argument"] or "").strip())
