"""How many records a text can hold at most: small models do not know when to end a list."""

import re
from collections.abc import Mapping
from typing import Any

from bot.extraction.normal_text import NormalText

_BREAK = re.compile(r"[,;:.!?•|、，；：。！？](?!\d)|\n")
"""What stands between the entries of a list; not the comma in a number."""


def record_limit(text: str, *, fields: int) -> int:
    """Records with so many values of their own, each at least a word, or at least with a break before the next."""
    words = len(NormalText(text).words) // max(1, fields)
    breaks = len(_BREAK.findall(text.strip(" \n.!?。！？")))
    return max(1, words, breaks + 1)


def required_values(record: Mapping[str, Any]) -> list[str]:
    """Fields of which every record must have a value that is copied from the text."""
    properties = record.get("properties", {})
    return [name for name in record.get("required", ()) if _is_copied(properties.get(name))]


def _is_copied(part: Any) -> bool:
    return isinstance(part, Mapping) and part.get("type") in ("string", "number", "integer")
