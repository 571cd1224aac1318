"""Several object schemas that must all hold, as one."""

from typing import Any

import pytest

from bot.extraction.all_of import merged
from bot.extraction.bounds import Bounds
from tests.support.schemas import takes

BASE = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
MORE = {"properties": {"b": {"type": "integer"}}, "required": ["b"]}


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object", "allOf": [BASE, MORE]},
        {"$defs": {"base": BASE}, "type": "object", "allOf": [{"$ref": "#/$defs/base"}, MORE]},
        {"$defs": {"base": BASE}, "type": "object", "allOf": [{"$ref": "#/$defs/base"}], **MORE},
        {"type": "object", "allOf": [{"allOf": [BASE]}, MORE]},
    ],
)
def test_the_properties_of_all_are_wanted(schema: dict[str, Any]) -> None:
    """However they are put together, they are those of one object, which is closed and finite."""
    found = merged(schema)
    assert set(found["properties"]) == {"a", "b"}
    assert set(found["required"]) == {"a", "b"}
    bounded = Bounds().apply(found)
    order = "ab" if next(iter(found["properties"])) == "a" else "ba"
    written = {"a": '"a":"x"', "b": '"b":1'}
    assert takes(bounded, "{" + ",".join(written[name] for name in order) + "}")
    assert not takes(bounded, '{"c":')


def test_a_property_of_both_must_be_both() -> None:
    """What each says of it holds."""
    found = merged({"allOf": [BASE, {"properties": {"a": {"maxLength": 3}}}]})
    assert found["properties"]["a"] == {"allOf": [{"type": "string"}, {"maxLength": 3}]}


@pytest.mark.parametrize(
    "schema",
    [
        {"allOf": [{"type": "string"}, {"maxLength": 5}]},
        {"allOf": [{**BASE, "additionalProperties": False}, MORE]},
        {"allOf": [{"anyOf": [BASE]}, MORE]},
        {"$defs": {"again": {"allOf": [{"$ref": "#/$defs/again"}]}}, "allOf": [{"$ref": "#/$defs/nowhere"}]},
    ],
)
def test_what_cannot_be_put_together_stays(schema: dict[str, Any]) -> None:
    """Nothing is changed where the meaning would be."""
    assert merged(schema) == schema
