"""The start of a text, in one line."""

_LENGTH = 80


def excerpt(text: str) -> str:
    """At most 80 characters of `text`, with its white space folded; an ellipsis marks what was cut."""
    line = " ".join(text[: _LENGTH * 4].split())
    return line if len(line) <= _LENGTH and len(text) <= _LENGTH * 4 else f"{line[: _LENGTH - 1].rstrip()}…"
