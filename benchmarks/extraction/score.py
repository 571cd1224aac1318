"""How much of an answer is right."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.extraction.cases import Case
from bot.extraction.merge import same


@dataclass(frozen=True, slots=True)
class Score:
    """Fields that are right, of all."""

    right: int
    fields: int

    def __add__(self, other: "Score") -> "Score":
        """Both together."""
        return Score(self.right + other.right, self.fields + other.fields)

    @property
    def share(self) -> float:
        """From 0 to 1."""
        return self.right / self.fields if self.fields else 1.0


def score(case: Case, value: Any) -> Score:
    """Every field counts once; of a list every record that is missing or too many counts with all its fields."""
    if isinstance(case.expected, list):
        records = value if isinstance(value, list) else []
        return _score_records(case.expected, [each for each in records if isinstance(each, Mapping)])
    return _score_record(case.expected, value if isinstance(value, Mapping) else {})


def is_right(expected: Any, found: Any) -> bool:
    """Whether a value is the expected one, or one of those that are as good; case and spacing do not matter."""
    return any(_same(each, found) for each in (expected if isinstance(expected, list) else [expected]))


def _same(expected: Any, found: Any) -> bool:
    if isinstance(expected, float | int) and isinstance(found, float | int) and not isinstance(found, bool):
        return abs(expected - found) < 1e-9
    return same(expected).rstrip(".") == same(found).rstrip(".")


def _score_record(expected: Mapping[str, Any], found: Mapping[str, Any]) -> Score:
    return Score(sum(is_right(value, found.get(key)) for key, value in expected.items()), len(expected))


def _score_records(expected: Sequence[Mapping[str, Any]], found: Sequence[Mapping[str, Any]]) -> Score:
    left = list(found)
    total = Score(0, 0)
    for record in expected:
        best = max(left, key=lambda each: _score_record(record, each).right, default=None)
        total += _score_record(record, best or {})
        if best is not None:
            left.remove(best)
    return total + Score(0, sum(len(each) for each in left))
