"""Which JSON Schemas are taken."""

from typing import Any

import pytest

from bot.errors import SchemaError
from bot.schemas.support import check_support


def _with(**part: Any) -> dict[str, Any]:
    return {"type": "object", "properties": {"a": part}, "required": ["a"]}


@pytest.mark.parametrize(
    "part",
    [
        {"type": "string", "pattern": "^[A-Z]{2}[0-9]+$", "maxLength": 12},
        {"type": "number", "minimum": 0, "exclusiveMaximum": 10, "multipleOf": 0.5},
        {"type": "array", "prefixItems": [{"type": "string"}], "items": {"type": "integer"}, "minItems": 1},
        {"oneOf": [{"type": "string"}, {"type": "integer"}]},
        {"anyOf": [{"const": {"x": 1}}, {"enum": [1, "b", None]}]},
        {"type": "object", "patternProperties": {"^x": {"type": "string"}}, "additionalProperties": False},
        {"type": "string", "format": "date-time"},
        {"x-note": "ours", "type": "boolean", "title": "A", "description": "b"},
    ],
)
def test_what_can_be_held_to_is_taken(part: dict[str, Any]) -> None:
    """Objects, arrays, choices, bounds, patterns, formats and alternatives."""
    check_support(_with(**part))


def test_definitions_may_refer_to_themselves() -> None:
    """A tree is a schema like others."""
    tree = {"type": "object", "properties": {"next": {"anyOf": [{"$ref": "#/$defs/tree"}, {"type": "null"}]}}}
    check_support({"$defs": {"tree": tree}, "type": "object", "properties": {"root": {"$ref": "#/$defs/tree"}}})


@pytest.mark.parametrize(
    ("part", "named"),
    [
        ({"type": "array", "uniqueItems": True}, "properties.a: the keyword 'uniqueItems'"),
        ({"not": {"type": "string"}}, "'not'"),
        ({"if": {}, "then": {}}, "'if'"),
        ({"type": "array", "contains": {}}, "'contains'"),
        ({"type": "string", "maxLenght": 3}, "'maxLenght' is not supported; did you mean maxLength?"),
        ({"type": "string", "format": "phone"}, "the format 'phone' is not supported"),
        ({"type": "string", "pattern": "^(?=a)"}, "look-ahead"),
        ({"oneOf": [{"maxLength": 5}, {"minLength": 3}]}, "oneOf"),
        ({"type": "strin"}, "'strin'"),
        ({"type": "string", "minLength": 5, "maxLength": 3}, "'a' is unsatisfiable"),
        ({"$ref": "#/$defs/nowhere"}, "nowhere"),
        ({"type": "object", "minProperties": 3}, "minProperties"),
        ({"enum": ["a\x1fb"]}, "control characters"),
    ],
)
def test_what_cannot_be_held_to_is_refused_by_name(part: dict[str, Any], named: str) -> None:
    """Nothing is ignored: not a keyword, not a format, not a mistyped word."""
    with pytest.raises(SchemaError) as error:
        check_support(_with(**part))
    assert named in error.value.user_text


@pytest.mark.parametrize("schema", [{"type": "array"}, {}, {"type": ["object", "null"]}])
def test_a_record_is_an_object(schema: dict[str, Any]) -> None:
    """Lists of records are asked for with `many`."""
    with pytest.raises(SchemaError, match="must be that of an object"):
        check_support(schema)


def test_endless_nesting_is_refused() -> None:
    """Before it could exhaust the stack."""
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(100):
        schema = _with(**schema)
    with pytest.raises(SchemaError, match="nested"):
        check_support(schema)
