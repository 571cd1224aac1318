"""Records as files for other programs."""

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bot.extraction.presentation import plain


def as_jsonl(objects: Iterable[Any]) -> str:
    """One JSON value a line."""
    return "".join(f"{json.dumps(each, ensure_ascii=False)}\n" for each in objects)


def as_csv(rows: Sequence[Mapping[str, Any]]) -> str:
    """A table with a heading. Records inside of records become columns such as `address.city`; lists are joined."""
    flat = [flattened(row) for row in rows]
    columns = list(dict.fromkeys(key for row in flat for key in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(flat)
    return text.getvalue()


def flattened(record: Mapping[str, Any], before: str = "") -> dict[str, str]:
    """The single values by their paths, as text."""
    found: dict[str, str] = {}
    for key, value in record.items():
        if isinstance(value, Mapping):
            found |= flattened(value, f"{before}{key}.")
        else:
            found[f"{before}{key}"] = plain(value)
    return found
