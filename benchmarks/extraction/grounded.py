"""How well values that are not in a text are told from those that are."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from benchmarks.extraction.cases import ABSENT, Case
from benchmarks.extraction.contenders import HearthbotReader
from benchmarks.extraction.score import is_right
from bot.extraction.grounding import Source
from bot.extraction.places import places

_NAMES = ("Kowalczyk", "Abernathy", "Quispe", "Thorvald", "欧阳修", "Mbeki", "Zürrer", "Ibárruri", "O'Donnell", "Vass")


@dataclass(frozen=True, slots=True)
class Rate:
    """How many of how many were flagged."""

    flagged: int
    values: int

    @property
    def share(self) -> float:
        """From 0 to 1."""
        return self.flagged / self.values if self.values else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Grounded:
    """The figures."""

    right: Rate
    """Values of the model that are right: flagged are false alarms."""
    expected: Rate
    """The expected values themselves."""
    changed: Rate
    """The expected values with another digit, day or word in them."""
    invented: Rate
    """What the model wrote in fields of which the text says nothing, and what is not copied from another place."""
    copied: int
    """Values in those fields that were copied from another place of the text, such as an invoice's date as a date of
    birth: that they are in the text is true, that they are in the wrong field no look-up can know."""
    unflagged: list[str]
    """The invented ones that were taken for what stands in the text: case, field, value, and that place."""


async def measure_grounding(reader: HearthbotReader, cases: list[Case], values: list[Any]) -> Grounded:
    """`values` are the reader's answers to the cases; each text is also asked for what it has not."""
    right = [flag for case, value in zip(cases, values, strict=True) for flag in _right(case, value)]
    expected = [flag for case in cases for flag in _flags(case.text, _expected(case))]
    changed = [flag for case in cases for flag in _flags(case.text, [_changed(each) for each in _expected(case)])]
    invented: list[bool] = []
    unflagged: list[str] = []
    copied = 0
    for case in cases:
        found = await reader.extractor.extract(ABSENT, case.text, user="bench")
        for each in found.groundings:
            if _is_copied(each.value, case):
                copied += 1
                continue
            invented.append(each.status == "missing")
            if each.span is not None:
                taken_for = case.text[each.span.start : each.span.end]
                unflagged.append(f"{case.id}: {each.name} {each.value!r} for {taken_for!r}")
    return Grounded(
        right=_rate(right),
        expected=_rate(expected),
        changed=_rate(changed),
        invented=_rate(invented),
        copied=copied,
        unflagged=unflagged,
    )


def _is_copied(value: str | float, case: Case) -> bool:
    """Whether it is in the text letter by letter, or is what is to be read out of it for another field."""
    return str(value).casefold() in case.text.casefold() or any(is_right(each, value) for each in _expected(case))


def _right(case: Case, value: Any) -> Iterator[bool]:
    """Of each single value that is right, whether it is flagged."""
    if isinstance(case.expected, list) or not isinstance(value, dict):
        return
    source = Source(case.text)
    wanted = [each for place in places(value, case.schema.answer) for each in [place] if not place.chosen]
    for place in wanted:
        if is_right(case.expected.get(place.path[0]), place.value):
            yield source.find(place.value) is None


def _expected(case: Case) -> list[Any]:
    records = case.expected if isinstance(case.expected, list) else [case.expected]
    single = [value[0] if isinstance(value, list) else value for record in records for value in record.values()]
    return [value for value in single if value is not None]


def _flags(text: str, values: list[Any]) -> list[bool]:
    source = Source(text)
    return [source.find(value) is None for value in values]


def _changed(value: Any) -> Any:
    chance = random.Random(repr(value))  # noqa: S311 - no secret
    if isinstance(value, int | float):
        return value + chance.choice([1, 7, 10, 100])
    try:
        return (date.fromisoformat(value) + timedelta(days=chance.choice([1, 40, 366]))).isoformat()
    except ValueError:
        pass
    digits = [place for place, character in enumerate(value) if character.isdecimal()]
    if digits:
        place = chance.choice(digits)
        return f"{value[:place]}{(int(value[place]) + 3) % 10}{value[place + 1 :]}"
    words = value.split()
    words[chance.randrange(len(words))] = chance.choice(_NAMES)
    return " ".join(words)


def _rate(flags: list[bool]) -> Rate:
    return Rate(sum(flags), len(flags))
