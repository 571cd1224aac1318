"""Numbers as people write them, found in a text."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from bot.extraction.normal_text import NormalText, Span
from bot.extraction.number_words import find_number_words

# Digits with separators between them, not behind a letter; the sign of a currency or an x may stand before.
_WRITTEN = re.compile(r"(?<![\d])(?<![^\W\d_x\u2e80-\u9fff])(?P<digits>\d+(?:[.,' ]\d+)*)")
_GROUPED = re.compile(r"\d{1,3}(?:(?P<sep>[.,' ])\d{3})(?:(?P=sep)\d{3})*(?:[.,]\d+)?")
_SIMPLE = re.compile(r"\d+(?:[.,]\d+)?")
_SCALES: dict[str, int | Decimal] = {
    "k": 1_000,
    "thousand": 1_000,
    "tausend": 1_000,
    "tsd": 1_000,
    "mil": 1_000,
    "千": 1_000,
    "m": 1_000_000,
    "million": 1_000_000,
    "millionen": 1_000_000,
    "mio": 1_000_000,
    "millones": 1_000_000,
    "万": 10_000,
    "萬": 10_000,
    "亿": 100_000_000,
    "億": 100_000_000,
    "百": 100,
    "hundred": 100,
    "billion": 1_000_000_000,
    "milliarden": 1_000_000_000,
    "dozen": 12,
    "%": Decimal("0.01"),
}
_SCALE = re.compile(rf" ?(?P<scale>{'|'.join(sorted(map(re.escape, _SCALES), key=len, reverse=True))})(?![a-z])")


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundNumber:
    """One meaning of a number in a text."""

    span: Span
    value: Decimal


def find_numbers(text: NormalText) -> Iterator[FoundNumber]:
    """Every meaning of every number: 1.234 is one thing in Germany and another in England. None is negative."""
    for match in _WRITTEN.finditer(text.text):
        for start, end, value in _meanings(match["digits"]):
            begin, stop = match.start() + start, match.start() + end
            yield FoundNumber(span=text.span(begin, stop), value=value)
            scale = _SCALE.match(text.text, stop)
            if scale is not None:
                yield FoundNumber(span=text.span(begin, scale.end()), value=value * _SCALES[scale["scale"]])
    for span, whole in find_number_words(text):
        yield FoundNumber(span=span, value=Decimal(whole))


def _meanings(digits: str) -> Iterator[tuple[int, int, Decimal]]:
    """Start, end and value of what a run of digits and separators may be."""
    grouped = _GROUPED.fullmatch(digits)
    if grouped is not None:
        yield 0, len(digits), Decimal(digits.replace(grouped["sep"], "").replace(",", "."))
    if _SIMPLE.fullmatch(digits):
        yield 0, len(digits), Decimal(digits.replace(",", "."))
    elif " " in digits:
        for piece in re.finditer(r"[^ ]+", digits):
            for start, end, value in _meanings(piece[0]):
                yield piece.start() + start, piece.start() + end, value
    elif grouped is None and "." not in digits:
        for part in re.finditer(r"\d+", digits):  # 1,2,3 without spaces
            yield part.start(), part.end(), Decimal(part[0])
