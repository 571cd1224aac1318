"""The benchmark's texts."""

import pytest

from benchmarks.extraction.cases import Case, load_cases
from benchmarks.extraction.score import Score, score
from bot.extraction.grounding import Source


@pytest.mark.parametrize("case", load_cases(), ids=lambda case: case.id)
def test_what_is_expected_is_in_the_text(case: Case) -> None:
    """So a right value is never flagged, and a right answer has all points."""
    records = case.expected if isinstance(case.expected, list) else [case.expected]
    source = Source(case.text)
    for value in (value for record in records for value in record.values() if value is not None):
        first = value[0] if isinstance(value, list) else value
        assert source.find(first) is not None, first
    plain = [
        {key: value[0] if isinstance(value, list) else value for key, value in record.items()} for record in records
    ]
    answer = plain if isinstance(case.expected, list) else plain[0]
    assert score(case, answer).share == 1.0


def test_there_are_enough_of_them() -> None:
    """Six kinds in four languages, three of each."""
    cases = load_cases()
    assert len(cases) == len({case.id for case in cases}) == 72
    assert len({(case.kind, case.language) for case in cases}) == 24


def test_records_too_many_or_too_few_cost_points() -> None:
    """A list is compared record by record, in any order."""
    case = next(case for case in load_cases() if case.id == "products-en-3")
    first, second = case.expected
    assert score(case, [second, first]) == Score(4, 4)
    assert score(case, [first]) == Score(2, 4)
    assert score(case, [first, second, first]) == Score(4, 6)
    assert score(case, None) == Score(0, 4)
