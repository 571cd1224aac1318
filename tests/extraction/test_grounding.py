"""Values looked up in their source."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.extraction.dates import find_dates, find_times
from bot.extraction.grounding import Source
from bot.extraction.normal_text import NormalText
from bot.extraction.numbers import find_numbers

STRING = {"type": "object", "properties": {"v": {"type": ["string", "number"]}}, "required": ["v"]}


def _place(text: str, value: Any) -> str | None:
    span = Source(text).find(value)
    return text[span.start : span.end] if span else None


@pytest.mark.parametrize(
    ("text", "value", "place"),
    [
        ("Ask Anna  Müller today", "anna muller", "Anna  Müller"),
        ("Kunde: STRASSE 5", "Straße 5", "STRASSE 5"),
        ("Name：张伟，男", "张伟", "张伟"),
        ("ＡＢＣ１２３", "abc123", "ＡＢＣ１２３"),
        ("the “Blue–Green” shop", '"blue-green"', "Blue–Green"),
        ("Smith, John M.", "John Smith", "Smith, John"),
        ("Tel. +49 170/123 45 67", "+491701234567", "49 170/123 45 67"),
        ("see www.example.com/", "https://example.com", "example.com"),
        ("That is €45.00 please", "45,00", "45.00"),
        ("born in Annual", "Ann", None),
        ("order 14711", "4711", None),
        ("Anna Müller and Bob Smith", "Anna Smith", None),
        ("Rechnung INV20240315", "2024-03-15", None),
        ("日期20240315", "2024-03-15", "20240315"),
        ("anything", "else", None),
    ],
)
def test_strings(text: str, value: str, place: str | None) -> None:
    """Case, accents, spacing and forms of characters do not matter; the borders of words do."""
    assert _place(text, value) == place


@pytest.mark.parametrize(
    ("text", "value", "place"),
    [
        ("1.234,56 €", 1234.56, "1.234,56"),
        ("$1,234.56", 1234.56, "1,234.56"),
        ("1 234,5 km", 1234.5, "1 234,5"),
        ("1'000 Fr.", 1000, "1'000"),
        ("12k users", 12000, "12k"),
        ("3万元", 30000, "3万"),
        ("15% off", 15, "15"),
        ("15% off", 0.15, "15%"),
        ("drei Stück", 3, "drei"),
        ("treinta y dos años", 32, "treinta y dos"),
        ("twenty-five years", 25, "twenty-five"),
        ("fünfundzwanzig", 25, "fünfundzwanzig"),
        ("二十五岁", 25, "二十五"),
        ("2x Pizza", 2, "2"),
        ("-5 Grad", -5, "5"),
        ("5 Grad", -5, None),
        ("1.234,56 €", 56, None),
        ("room A22", 22, None),
        ("on 3 May 2024 at 14:30", 14, None),
        ("on 3 May 2024", 2024, "2024"),
        ("version 1.2.3", 3, None),
    ],
)
def test_numbers(text: str, value: float, place: str | None) -> None:
    """Decimal points and commas, groups of digits, scales and words; parts of numbers and dates are no numbers."""
    assert _place(text, value) == (place if value != 2024 else "3 May 2024")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3 May 2024", "2024-05-03"),
        ("May 3rd, 2024", "2024-05-03"),
        ("am 3. Mai 2024", "2024-05-03"),
        ("am 3. März 2024", "2024-03-03"),
        ("el 3 de mayo de 2024", "2024-05-03"),
        ("le 3 août 2024", "2024-08-03"),
        ("2024年5月3日", "2024-05-03"),
        ("03.05.2024", "2024-05-03"),
        ("05/03/24", "2024-05-03"),
        ("2024/5/3", "2024-05-03"),
        ("20240503", "2024-05-03"),
        ("2024: we meet on 3.5.", "2024-05-03"),
        ("3 May 2024, 2:30 pm", "2024-05-03T14:30:00Z"),
        ("3. Mai 2024 um 14.30 Uhr", "2024-05-03T14:30:00+02:00"),
        ("2024年5月3日下午2点半", "2024-05-03T14:30:00Z"),
        ("3 May 2024", "2024-05-03T00:00:00Z"),
        ("at 9 am", "09:00:00Z"),
        ("um 9 Uhr", "09:00:00Z"),
    ],
)
def test_dates_and_times(text: str, value: str) -> None:
    """In several languages, with the day or the month first."""
    assert _place(text, value) is not None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3 May 2024", "2024-05-04"),
        ("3 May 2024", "2023-05-03"),
        ("on 3 May", "2024-05-03"),
        ("3 May 2024, 2:30 pm", "2024-05-03T15:30:00Z"),
        ("3 May 2024", "2024-05-03T09:00:00Z"),
        ("in May", "2024-05-01"),
        ("tomorrow", "2024-13-77"),
    ],
)
def test_invented_dates(text: str, value: str) -> None:
    """Another day, a year that the text does not have, an hour nobody wrote."""
    assert _place(text, value) is None


def test_choices_need_not_be_in_the_text() -> None:
    """A choice is a judgement; a value that may be null is marked as such; an empty string says nothing."""
    schema = {
        "type": "object",
        "properties": {
            "mood": {"enum": ["good", "bad"]},
            "name": {"type": ["string", "null"]},
            "note": {"type": "string"},
            "ok": {"type": "boolean"},
        },
        "required": ["mood", "name", "note", "ok"],
    }
    found = Source("I like it").ground({"mood": "good", "name": "Bob", "note": "", "ok": True}, schema)
    assert [(each.name, each.status, each.optional) for each in found] == [
        ("mood", "chosen", False),
        ("name", "missing", True),
    ]


def test_paths_of_nested_values() -> None:
    """Lists by their index, through references and alternatives."""
    schema = {
        "$defs": {"item": {"type": "object", "properties": {"p": {"type": "number"}}}},
        "type": "object",
        "properties": {"items": {"type": "array", "items": {"anyOf": [{"$ref": "#/$defs/item"}, {"type": "null"}]}}},
    }
    found = Source("costs 5").ground({"items": [{"p": 5}, {"p": 6}]}, schema)
    assert [(each.name, each.status) for each in found] == [("items[0].p", "found"), ("items[1].p", "missing")]


@given(st.text(max_size=60), st.data())
def test_a_span_is_a_place_of_the_text(text: str, data: st.DataObject) -> None:
    """Whatever the text is, what is cut out of it between words is found in it, and no reader fails on it."""
    normal = NormalText(text)
    for found in (*find_dates(normal), *find_times(normal), *find_numbers(normal)):
        assert 0 <= found.span.start < found.span.end <= len(text)
    words = text.split()
    if words:
        word = data.draw(st.sampled_from(words))
        if NormalText(word).text.strip(" \"'.,;:!?()"):
            assert Source(text).find(word) is not None


@given(st.decimals(min_value=0, max_value=10**9, places=2))
def test_amounts_are_found_in_both_ways_of_writing(amount: Decimal) -> None:
    """With a comma or a point for the decimals, with groups of three or without."""
    english = f"{amount:,.2f}"
    german = english.translate(str.maketrans(",.", ".,"))
    for text in (english, german, f"{amount:.2f}"):
        assert Source(f"Total: {text} EUR").find(float(amount)) is not None
