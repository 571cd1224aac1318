"""What an answer probably says."""

import pytest

from bot.extraction.guesses import Guesses
from bot.schemas.schema import Schema


def _of(text: str, schema: str) -> list[str]:
    return Guesses(text).of(Schema.of_short(schema).record, colon=":", comma=",").split("\n")


def test_values_stand_as_in_an_answer() -> None:
    """Each number, date and address of the text, between its key and the next."""
    text = "Invoice 7 of 3 May 2024: 1.250,00 EUR, ann@example.org"
    assert '"day":"2024-05-03","total":' in _of(text, "day date, total float, mail? email")
    assert '"total":1250.00,"mail":' in _of(text, "day date, total float, mail? email")
    assert '"mail":"ann@example.org"}' in _of(text, "day date, total float, mail? email")


def test_what_the_text_lacks_is_probably_null() -> None:
    """Where it may be; of plain words nothing is guessed."""
    assert _of("Jason is here", "name, age? int, mail? email") == ['"age":null,"mail":', '"mail":null}']
    assert _of("Jason is here", "name, age int, kind? a|b") == [""]


def test_whole_numbers_are_guessed_for_whole_numbers() -> None:
    """And a number of each value only once."""
    assert _of("3 at 2.50 and 3", "count int") == ['"count":3}']
    assert _of("3 at 2.50 and 3", "price float") == ['"price":3}', '"price":2.50}']


def test_a_long_text_is_not_searched() -> None:
    """It has too many values for a guess to be right."""
    assert _of("3 " * 3000, "count? int") == [""]


@pytest.mark.parametrize(
    ("text", "lacking"),
    [
        ("Jason is here", {"age", "due", "mail", "page"}),
        ("Jason is twenty-five", {"due", "mail", "page"}),
        ("Jason comes on 3 May 2024", {"mail", "page"}),
        ("jason@home.example", {"age", "due"}),
        ("jason at home dot example", {"age", "due"}),
        ("见 www.example.com，二十五岁", {"due", "mail"}),
    ],
)
def test_what_a_text_cannot_have(text: str, lacking: set[str]) -> None:
    """Numbers, dates and addresses, spelled out too; nothing is said of what must be there, or is a text."""
    schema = Schema.of_short("name, count int, nick?, age? int, due? date, mail? email, page? url, kind? a|b")
    assert Guesses(text).lacking(schema.record) == lacking


def test_nothing_is_said_where_fields_depend_on_one_another() -> None:
    """One that is left out might have been needed for another."""
    record = {"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}}}
    assert Guesses("none").lacking(record) == {"a", "b"}
    assert not Guesses("none").lacking({**record, "anyOf": [{"required": ["a"]}, {"required": ["b"]}]})
    assert not Guesses("none " * 1000).lacking(record)
