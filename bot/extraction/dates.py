"""Dates and times of day as people write them, found in a text."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from bot.extraction.month_names import MONTHS, PATTERN
from bot.extraction.normal_text import NormalText, Span

_HALF_DAY = 12
_TURN_OF_CENTURY = 70
"""Two digits from here on are a year of the last century."""
_DAY = r"(?P<day>[0-3]?\d)"
_YEAR = r"(?P<year>(?:19|20)\d\d)"
_NO_LETTER = r"(?<![^\W\d_\u2e80-\u9fff])"
"""Not within a number such as INV20240315; Chinese and Japanese words have no ends."""
_PATTERNS = (
    re.compile(rf"(?<!\d){_YEAR}(?P<sep>[-/.]) ?(?P<month>\d\d?)(?P=sep) ?{_DAY}(?!\d)"),
    re.compile(rf"{_NO_LETTER}(?<!\d){_YEAR}(?P<month>0\d|1[0-2])(?P<day>[0-3]\d)(?!\d)"),
    re.compile(rf"(?:{_YEAR} ?年 ?)?(?P<month>[01]?\d) ?月 ?{_DAY} ?[日号號]"),
    re.compile(rf"{_YEAR} ?年 ?(?P<month>[01]?\d) ?月"),
    re.compile(
        r"(?<![\d.,])(?P<one>[0-3]?\d)(?P<sep>[-/.]) ?(?P<two>[0-3]?\d)"
        r"(?:(?P=sep) ?(?P<year>(?:19|20)\d\d|\d\d(?![\d:])))(?!\d)"
    ),
    re.compile(
        r"(?<![\d.,])(?P<one>[0-3]?\d)(?:/(?P<two>[01]?\d)(?![\d.,%/])|\. ?(?P<three>[01]?\d)\.(?!\d))(?! ?(?:uhr|h\b))"
    ),
    re.compile(
        rf"(?<!\d){_DAY}(?:st|nd|rd|th|er|[.ªº°])?(?: (?:of|de|di))? ?-?{PATTERN},?(?: ?-?(?:de |del )?{_YEAR}(?!\d))?"
    ),
    re.compile(rf"(?<!\w){PATTERN} ?{_DAY}(?:st|nd|rd|th)?(?!\d)(?:,? ?{_YEAR}(?!\d))?"),
    re.compile(rf"(?<!\w){PATTERN},? (?:de |del )?{_YEAR}(?!\d)"),
)
_TIME = re.compile(
    r"(?P<before>下午|晚上|中午|凌晨|早上|上午)?(?<![\d.,:])(?P<hour>[0-2]?\d)"
    r"(?:(?:[:h]|\.(?=\d\d ?(?:uhr|h\b|[ap]\.?m\b))| ?[点點时時] ?)(?P<minute>[0-5]\d)(?::[0-5]\d)?分?(?![\d.]\d)"
    r"| ?[点點时時] ?(?P<half>半)?|(?= ?(?:[ap]\.?m\b|uhr|h\b|hrs|o'clock)))"
    r"(?: ?(?P<after>[ap])\.?m\b)?(?: ?uhr)?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundDate:
    """What a date in a text may mean; None for a part that is not written."""

    span: Span
    year: int | None
    month: int
    day: int | None
    sure: bool
    """It cannot be a number as well, such as 3.5. at the end of a sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundTime:
    """A time of day, by the clock of 24 hours; of what may be meant by twelve hours there are two."""

    span: Span
    hour: int
    minute: int


def find_dates(text: NormalText) -> Iterator[FoundDate]:
    """Every meaning of every date; one such as 3/4/2024 has two."""
    for pattern in _PATTERNS:
        for match in pattern.finditer(text.text):
            parts = match.groupdict()
            for year, month, day in _meanings(parts):
                if 1 <= month <= 12 and (day is None or 1 <= day <= 31):  # noqa: PLR2004 - months and days
                    yield FoundDate(
                        span=text.span(*match.span()),
                        year=year,
                        month=month,
                        day=day,
                        sure=year is not None or "one" not in parts,
                    )


def find_times(text: NormalText) -> Iterator[FoundTime]:
    """Every meaning of every time of day."""
    for match in _TIME.finditer(text.text):
        hour, minute = int(match["hour"]), int(match["minute"] or (30 if match["half"] else 0))
        span = text.span(*match.span())
        if match["after"]:
            hours = [hour % _HALF_DAY + (_HALF_DAY if match["after"] == "p" else 0)]
        elif match["before"] in {"下午", "晚上"}:
            hours = [hour % _HALF_DAY + _HALF_DAY]
        else:
            hours = [hour]
        for each in hours:
            if each < 24:  # noqa: PLR2004 - hours
                yield FoundTime(span=span, hour=each, minute=minute)


def _meanings(parts: dict[str, str | None]) -> Iterator[tuple[int | None, int, int | None]]:
    written = parts.get("year")
    year = int(written) if written else None
    if year is not None and year < 100:  # noqa: PLR2004 - two digits
        year += 1900 if year >= _TURN_OF_CENTURY else 2000
    day = int(parts["day"]) if parts.get("day") else None  # type: ignore[arg-type]
    if name := parts.get("name"):
        yield year, MONTHS[name], day
    elif month := parts.get("month"):
        yield year, int(month), day
    else:
        one, two = int(parts["one"] or 0), int(parts["two"] or parts.get("three") or 0)
        yield year, two, one
        yield year, one, two
