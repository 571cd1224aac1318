"""The short language for schemas."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import SchemaError
from bot.schemas.short_language import ShortLanguage, parse_short
from bot.schemas.support import check_support


def _properties(text: str) -> dict[str, object]:
    record, _ = parse_short(text)
    properties: dict[str, object] = record["properties"]
    return properties


def test_every_kind_of_field() -> None:
    """Types, lists, choices, optional fields and descriptions, as the issue of the language's users has them."""
    text = "name, age int, tags [str], status open|closed, when date?: the due date"
    assert _properties(text) == {
        "name": {"type": "string"},
        "age": {"type": "integer"},
        "tags": {"type": "array", "items": {"type": "string"}},
        "status": {"enum": ["open", "closed"]},
        "when": {"type": ["string", "null"], "format": "date", "description": "the due date"},
    }


def test_a_record_has_all_its_fields_and_no_others() -> None:
    """What is optional is null rather than left out, so that nobody has to ask whether a key is there."""
    record, many = parse_short("name, age? int")
    assert record["required"] == ["name", "age"]
    assert record["additionalProperties"] is False
    assert not many


def test_many_records() -> None:
    """The word in front makes a list of it; as the name of a field it is a name."""
    assert parse_short("many name, price float")[1]
    assert list(_properties("many, name")) == ["many", "name"]
    assert not parse_short("many, name")[1]


def test_lists_of_records() -> None:
    """A field may hold records of its own."""
    items = _properties("total float, items [{what, price float}]")["items"]
    assert isinstance(items, dict)
    assert items["items"]["properties"] == {"what": {"type": "string"}, "price": {"type": "number"}}


def test_lines_and_quotes() -> None:
    """Fields may stand in lines; a quoted description may have commas, a quoted choice may have space."""
    assert list(_properties("name\nage int\n")) == ["name", "age"]
    assert _properties('size: "wide, or high", kind "very big"|small') == {
        "size": {"type": "string", "description": "wide, or high"},
        "kind": {"enum": ["very big", "small"]},
    }


def test_choices_of_numbers_are_numbers() -> None:
    """So that three stars are 3, not "3"."""
    assert _properties("stars 1|2|3") == {"stars": {"enum": [1, 2, 3]}}


@pytest.mark.parametrize(
    ("text", "problem", "column"),
    [
        ("name, age integr", "'integr' is no type; did you mean integer", 10),
        ("name,, age", "begins with a letter", 5),
        ("", "name of a field is missing", 0),
        ("tags [str", "] is missing", 9),
        ("x {a, b", "} is missing", 7),
        ("a, b, a", "two fields called a", 6),
        ("a x|x", "twice", 2),
        ("a: , b", "description behind : is missing", 3),
        ("a [[str]]", "list of lists", 2),
        ("a int b", "'b' is not expected", 6),
    ],
)
def test_errors_point_at_the_character(text: str, problem: str, column: int) -> None:
    """The line is shown with a mark under what is wrong."""
    with pytest.raises(SchemaError) as error:
        parse_short(text)
    words, line, mark = error.value.user_text.split("```")[0], *error.value.user_text.splitlines()[3:5]
    assert problem in words
    assert line == text
    assert mark.index("^") == column


@given(st.text(alphabet='ab int[]{}|?:,\n"str.1', max_size=40) | st.text(max_size=40))
def test_any_text_is_a_schema_or_an_error(text: str) -> None:
    """Whatever is typed, it is read or refused; what is read can be held to."""
    try:
        record, _ = parse_short(text)
    except SchemaError:
        return
    check_support(record)


def test_deep_nesting_is_refused() -> None:
    """Before it could exhaust the stack."""
    with pytest.raises(SchemaError, match="nested"):
        ShortLanguage("a {" * 2000).parse()
