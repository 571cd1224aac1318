"""How many records a text can hold at most."""

import pytest

from benchmarks.extraction.cases import load_cases
from bot.extraction.record_limit import record_limit, required_values
from bot.schemas.schema import Schema


@pytest.mark.parametrize(
    ("text", "fields", "limit"),
    [
        ("tea 2.50, coffee 3.20", 2, 3),
        ("Ann Bob Cyd", 1, 3),
        ("a, b and c: 3", 2, 3),
        ("", 1, 1),
        ("茶，咖啡，蛋糕", 1, 5),
    ],
)
def test_a_record_needs_words_or_a_break(text: str, fields: int, limit: int) -> None:
    """The comma in a number is no break."""
    assert record_limit(text, fields=fields) == limit


def test_what_a_record_copies_is_counted() -> None:
    """Not choices, and not what may be missing."""
    record = Schema.of_short("item, price float, paid bool, kind a|b, note?").record
    assert required_values(record) == ["item", "price"]


def test_no_list_of_the_benchmark_is_cut() -> None:
    """There is room for every expected record."""
    for case in load_cases():
        if isinstance(case.expected, list):
            fields = len(required_values(case.schema.record))
            assert len(case.expected) <= record_limit(case.text, fields=fields) <= 20
