"""What was read out of a text, as a person sees it: a table and the JSON."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from bot.extraction.extraction import Extraction

MARK = "⚠"
_WIDEST = 6
"""Columns; more are no table on a telephone."""
_LONGEST = 15
"""Rows; the JSON has all."""
_LONGEST_JSON = 3000


def as_markdown(found: Extraction) -> str:
    """The answer in a chat. Values that are not in the text are marked."""
    parts = [_table(found)]
    missing = found.missing
    if missing:
        names = ", ".join(each.name for each in missing[:_LONGEST])
        parts.append(f"{MARK} Not in the text, so maybe invented: {names}")
    text = json.dumps(found.value, ensure_ascii=False)
    if len(text) > 60:  # noqa: PLR2004 - what fits a line of a telephone
        text = json.dumps(found.value, ensure_ascii=False, indent=2)
    if len(text) <= _LONGEST_JSON:
        parts.append(f"```json\n{text}\n```")
    return "\n\n".join(parts)


def is_long(found: Extraction) -> bool:
    """Whether the JSON is a file of its own rather than a part of the answer."""
    return len(json.dumps(found.value, ensure_ascii=False, indent=2)) > _LONGEST_JSON


def _table(found: Extraction) -> str:
    records = found.records
    if not records:
        return f"{found.schema.name}: none in the text."
    marked = {each.path for each in found.missing}
    fields = list(dict.fromkeys([*found.schema.fields, *(key for record in records for key in record)]))
    if not found.schema.many:
        return table(("", found.schema.name), [(key, _cell(records[0].get(key), (key,), marked)) for key in fields])
    shown = fields[:_WIDEST]
    rows = [
        [_cell(record.get(key), (index, key), marked) for key in shown]
        for index, record in enumerate(records[:_LONGEST])
    ]
    text = table(shown, rows)
    more = len(records) - len(rows)
    return f"{text}\n\n… and {more} more" if more else text


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def plain(value: Any) -> str:
    """A value in one line of text; empty for null."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {plain(item)}" for key, item in value.items() if item is not None)
    if isinstance(value, list):
        return "; ".join(plain(item) for item in value)
    return " ".join(str(value).split())


def _cell(value: Any, path: tuple[str | int, ...], marked: set[tuple[str | int, ...]]) -> str:
    doubtful = any(each[: len(path)] == path for each in marked)
    text = plain(value).replace("\\", "\\\\").replace("|", "\\|") or "–"
    return f"{text} {MARK}" if doubtful else text
