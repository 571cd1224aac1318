"""Looks each value up in the text that it was read from."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from functools import cached_property
from typing import Any, Literal

from bot.extraction.dates import FoundDate, find_dates, find_times
from bot.extraction.normal_text import NormalText, Span
from bot.extraction.numbers import find_numbers
from bot.extraction.places import Path, Place, places

Status = Literal["found", "missing", "chosen"]
_ISO_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_ISO_TIME = re.compile(r"(\d\d):(\d\d)(?::(\d\d))?(?:\.\d+)?(?:z|[+-]\d\d:\d\d)?", re.IGNORECASE)
_FEWEST_DIGITS = 5
"""Shorter ones are no telephone number, and are looked up as they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grounding:
    """One value, and where in the source it stands."""

    path: Path
    value: str | int | float
    status: Status
    """`missing`: the text does not have it, so the model may have invented it. `chosen`: one of the schema's choices,
    which the text need not have word for word."""
    span: Span | None = None
    optional: bool = False

    @property
    def name(self) -> str:
        """The path as people write it, such as `items[0].price`."""
        parts = [f"[{part}]" if isinstance(part, int) else f".{part}" for part in self.path]
        return "".join(parts).lstrip(".")


class Source:
    """A text in which values are looked up. What it has of numbers and dates is found once, when it is needed."""

    def __init__(self, text: str) -> None:
        self._text = NormalText(text)

    def ground(self, value: Any, schema: Mapping[str, Any]) -> tuple[Grounding, ...]:
        """Every string and number of `value`, which is valid by `schema`; empty strings are left out."""
        found = []
        for place in places(value, schema):
            if isinstance(place.value, str) and not place.value.strip():
                continue
            span = self.find(place.value)
            status: Status = "found" if span else "chosen" if place.chosen else "missing"
            found.append(_grounding(place, status, span))
        return tuple(found)

    def find(self, value: str | float) -> Span | None:
        """Where the value stands, however it is written there."""
        if not isinstance(value, str):
            return self._number(Decimal(str(value)))
        text = value.strip()
        if _ISO_DATE.match(text) or _ISO_TIME.fullmatch(text):
            return self._text.find(text) or self._moment(text)
        return (
            self._text.find(text)
            or self._digits(text)
            or self._address(text)
            or self._text.find_near(text)
            or self._amount(text)
        )

    def _number(self, value: Decimal) -> Span | None:
        spans = self._numbers.get(abs(value), [])
        if value < 0:
            return next((span for span in spans if self._is_negative(span)), None)
        return spans[0] if spans else None

    def _is_negative(self, span: Span) -> bool:
        before = self._text.source[max(0, span.start - 3) : span.start]
        return any(sign in before for sign in "-−–(")

    def _moment(self, text: str) -> Span | None:
        """A date, a time, or both, in the form that JSON Schema wants."""
        day, moment = text[:10], text[11:]
        if _ISO_DATE.fullmatch(day):
            try:
                wanted = date.fromisoformat(day)
            except ValueError:
                return None
            span = self._day(wanted)
            if span is None or not moment:
                return span
            return span if self._time(moment) is not None or _is_midnight(text) else None
        return self._time(text)

    def _day(self, wanted: date) -> Span | None:
        for found in self._dates:
            if (found.month, found.day) != (wanted.month, wanted.day):
                continue
            if found.year == wanted.year or (found.year is None and self._number(Decimal(wanted.year)) is not None):
                return found.span
        return None

    def _time(self, text: str) -> Span | None:
        match = _ISO_TIME.fullmatch(text)
        if match is None:
            return None
        wanted = (int(match[1]), int(match[2]))
        return next((found.span for found in self._times if (found.hour, found.minute) == wanted), None)

    def _digits(self, text: str) -> Span | None:
        """A telephone number or the like, however it is spaced."""
        digits = re.sub(r"[\s()/.+-]", "", text)
        if len(digits) < _FEWEST_DIGITS or not digits.isdecimal():
            return None
        pattern = r"(?<!\d)" + r"[\s()/.+-]*".join(digits) + r"(?!\d)"
        match = re.search(pattern, self._text.text)
        return self._text.span(*match.span()) if match else None

    def _address(self, text: str) -> Span | None:
        """An address in the web, which people write without its beginning."""
        bare = re.sub(r"^(?:https?://|mailto:)?(?:www\.)?", "", text.lower()).rstrip("/")
        return self._text.find(bare) if bare != text and "." in bare else None

    def _amount(self, text: str) -> Span | None:
        """A number with no more than a unit or a currency beside it, such as `$45.00` for `45,00 USD`."""
        numbers = list(find_numbers(NormalText(text)))
        letters = re.sub(r"[\W\d_]", "", text)
        if len({each.span for each in numbers}) != 1 or (letters and self._text.find(letters) is None):
            return None
        return next((span for each in numbers if (span := self._number(each.value))), None)

    @cached_property
    def _dates(self) -> Sequence[FoundDate]:
        return list(find_dates(self._text))

    @cached_property
    def _times(self) -> Any:
        return list(find_times(self._text))

    @cached_property
    def _numbers(self) -> dict[Decimal, list[Span]]:
        """Where each number stands; days, months and times of day are none by themselves."""
        taken = [each.span for each in self._dates if each.day is not None and each.sure] + [
            each.span for each in self._times
        ]
        found: dict[Decimal, list[Span]] = {}
        for number in find_numbers(self._text):
            inside = any(span.start <= number.span.start and number.span.end <= span.end for span in taken)
            if not inside:
                found.setdefault(number.value, []).append(number.span)
        for day in self._dates:
            if day.year is not None:
                found.setdefault(Decimal(day.year), []).append(day.span)
        return found


def _grounding(place: Place, status: Status, span: Span | None) -> Grounding:
    return Grounding(path=place.path, value=place.value, status=status, span=span, optional=place.optional)


def _is_midnight(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).time() == time(0)
    except ValueError:
        return False
