"""How an error says what was found."""

import json
import re
from typing import Any

from bot.config.document import printable
from bot.config.shape import Shape

_LONGEST_SHOWN = 60


def describe_found(shape: Shape, value: Any, written: str | None) -> str:
    """What stands where `shape` is wanted, with the remedy where quotes are the trouble.

    `written` is a plain word or number as it stands in the file, None for quoted text. Text is not repeated where a
    list or a section belongs: it may be a secret in the wrong place.
    """
    if value is None:
        return "nothing; remove the key to get its default"
    if isinstance(value, dict | list):
        return "a section" if isinstance(value, dict) else "a list"
    match value:
        case bool():
            word = written or str(value).lower()
            reads = f", which YAML reads as {str(value).lower()}" if word.lower() != str(value).lower() else ""
            return f"{word}{reads}{_quote(shape, word)}"
        case int() | float():
            number = written or str(value)
            return f"the number {shorten(number)}{_quote(shape, number)}"
        case _ if shape.is_container:
            return "text"
        case _:
            unquote = "; remove the quotes" if written is None and _is_number_or_boolean(value) else ""
            return f"the text {shorten(json.dumps(value, ensure_ascii=False))}{unquote}"


def shorten(text: str) -> str:
    """`text` on one line, cut where it is long."""
    text = printable(text)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"


def _quote(shape: Shape, word: str) -> str:
    """The advice to write `word` in quotes, where it would then be right."""
    patterns = [extra.pattern for extra in shape.metadata if getattr(extra, "pattern", None)]
    fits = shape.kind is str and all(re.search(pattern, word) for pattern in patterns)
    return f'; put it in quotes: "{shorten(word)}"' if fits or word in shape.literals() else ""


def _is_number_or_boolean(text: str) -> bool:
    if text in {"true", "false"}:
        return True
    try:
        float(text)
    except ValueError:
        return False
    return True
