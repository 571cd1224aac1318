"""What an answer probably says, or cannot say, as far as a text shows it without a model."""

import json
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from bot.extraction.dates import find_dates
from bot.extraction.normal_text import NormalText
from bot.extraction.numbers import find_numbers

_MOST = 6
"""Values of a kind; the more there are, the less a guess says."""
_LONGEST_TEXT = 4000
"""Characters; in a longer text nearly every kind of value occurs many times."""
_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_ADDRESS = re.compile(r"https?://[^\s<>\"']+")
_SIGNS = {
    "email": re.compile(r"@|\bat\b|arroba|klammeraffe"),
    "uri": re.compile(r"\w\.\w|http|www|\bdot\b|punkt|punto"),
}
"""What a text must have somewhere, in lower case, for an address to be looked for in it: it may be spelled out."""
_PLAIN = frozenset(
    {
        "$defs",
        "$schema",
        "additionalProperties",
        "definitions",
        "description",
        "properties",
        "required",
        "title",
        "type",
    }
)
"""Keywords of a record in which one property says nothing of another."""


class Guesses:
    """Numbers, dates and addresses of a text, as they would stand in an answer."""

    def __init__(self, text: str) -> None:
        normal = NormalText(text)
        self._short = len(text) <= _LONGEST_TEXT
        self._texts: dict[str, list[str]] = {"email": _EMAIL.findall(text), "uri": _ADDRESS.findall(text)}
        dates = list(find_dates(normal)) if self._short else []
        self._texts["date"] = [
            f"{each.year:04}-{each.month:02}-{each.day:02}"
            for each in dates
            if each.year is not None and each.day is not None
        ]
        self._numbers = [each.value for each in (find_numbers(normal) if self._short else ())]
        self._has = {name: bool(signs.search(normal.text)) for name, signs in _SIGNS.items()}
        self._has |= {"date": bool(dates), "number": bool(self._numbers)}

    def of(self, record: Mapping[str, Any], *, colon: str, comma: str) -> str:
        """A line for each way in which a field and the beginning of the next may be written."""
        lines: list[str] = []
        fields = list(record.get("properties", {}).items()) if self._short else []
        for place, (name, part) in enumerate(fields):
            after = f"{comma}{_key(fields[place + 1][0])}{colon}" if place + 1 < len(fields) else "}"
            optional = name not in record.get("required", ())
            lines += [f"{_key(name)}{colon}{value}{after}" for value in self._values(part, optional=optional)]
        return "\n".join(lines)

    def lacking(self, record: Mapping[str, Any]) -> frozenset[str]:
        """Properties that need not be there, and are numbers, dates or addresses of which the text has none at all.

        Whatever a model wrote there would not be found in the text, and be taken out again.
        """
        if not self._short or not set(record) <= _PLAIN:
            return frozenset()
        required = record.get("required", ())
        return frozenset(
            name
            for name, part in record.get("properties", {}).items()
            if (kinds := {_kind(each) for each in _ways(part)})
            and (name not in required or "null" in kinds)
            and not any(self._has.get(kind, kind != "null") for kind in kinds)
        )

    def _values(self, part: Any, *, optional: bool) -> list[str]:
        ways = list(_ways(part))
        kinds = {each.get("type") for each in ways}
        found: list[str] = []
        if kinds & {"integer", "number"}:
            found += [_written(each) for each in self._numbers if "number" in kinds or each == int(each)]
        known = [self._texts[each["format"]] for each in ways if each.get("format") in self._texts]
        found += [json.dumps(each, ensure_ascii=False) for values in known for each in values]
        if not found and (known or kinds & {"integer", "number"}) and (optional or "null" in kinds):
            return ["null"]
        return list(dict.fromkeys(found))[:_MOST]


def _ways(part: Any) -> Iterator[Mapping[str, Any]]:
    """A schema's alternatives, with one type each."""
    if not isinstance(part, Mapping) or "enum" in part or "const" in part:
        return
    for key in ("anyOf", "oneOf"):
        for each in part.get(key, ()):
            yield from _ways(each)
    kinds = part.get("type", ())
    for kind in [kinds] if isinstance(kinds, str) else kinds:
        yield {**part, "type": kind}


def _kind(way: Mapping[str, Any]) -> str:
    """What tells whether a text can have it."""
    kind = way["type"]
    return "number" if kind == "integer" else str(way.get("format", kind)) if kind == "string" else str(kind)


def _written(number: Decimal) -> str:
    return f"{number:f}"


def _key(name: str) -> str:
    return json.dumps(name, ensure_ascii=False)
