"""Schemas made finite."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.extraction.bounds import Bounds
from bot.extraction.budget import LEAST, MOST, budget
from bot.extraction.validation import Validation
from bot.schemas.schema import Schema
from tests.support.schemas import random_answer, records, takes

SCHEMAS: list[dict[str, Any]] = [
    {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "integer"}}, "required": ["a"]},
    {"type": "object", "properties": {"n": {"type": "number", "minimum": 10**16}, "m": {"maximum": -(10**16)}}},
    {"type": "object"},
    {"type": "object", "properties": {"x": {}, "y": True}},
    {"type": "object", "properties": {"l": {"type": "array"}, "m": {"type": "array", "minItems": 30}}},
    {"type": "object", "properties": {"s": {"type": "string", "minLength": 300}}, "required": ["s"]},
    {"type": "object", "properties": {"o": {"anyOf": [{"type": "object"}, {"type": "null"}]}}},
    {
        "$defs": {"t": {"type": "object", "properties": {"v": {"type": "integer"}, "n": {"$ref": "#/$defs/t"}}}},
        "type": "object",
        "properties": {"t": {"$ref": "#/$defs/t"}},
    },
    {"type": "object", "additionalProperties": {"type": "string"}},
    {"type": "object", "properties": {"a": {}, "ab": False}, "required": ["a", "z"]},
    {"type": "object", "patternProperties": {"^x": {"type": "string"}}, "additionalProperties": False},
]


@pytest.mark.parametrize("schema", SCHEMAS)
def test_bounded_schemas_compile_and_have_a_budget(schema: dict[str, Any]) -> None:
    """Each is still a schema that the model can be held to."""
    bounded = Bounds().apply(schema)
    assert takes(bounded, "{")
    assert LEAST <= budget(bounded) <= MOST


@pytest.mark.parametrize(
    ("kind", "answer"),
    [
        ({"type": "string", "format": "date-time"}, "2026-11-24T12:00:00Z"),
        ({"type": "string", "format": "uuid"}, "0e37df36-f698-11e6-8dd4-cb9ced3df976"),
        ({"type": "number", "minimum": 1, "maximum": 1}, 1),
    ],
)
def test_bounds_leave_room_for_an_answer(kind: dict[str, Any], answer: object) -> None:
    """However short strings are to be, and where there is but one number."""
    schema = {"type": "object", "properties": {"k": kind}, "required": ["k"]}
    assert takes(Bounds(max_string=10).apply(schema), json.dumps({"k": answer}, separators=(",", ":")))


@settings(max_examples=100)
@given(schema=st.sampled_from(SCHEMAS) | records(), seed=st.integers(0, 2**16))
def test_what_a_bounded_schema_allows_the_schema_allows(schema: dict[str, Any], seed: int) -> None:
    """Whatever is chosen, the answer ends, is JSON and valid, once the nulls of what may be left out are taken out."""
    answer = random_answer(Bounds(max_string=10, max_items=2).apply(schema), seed)
    assert answer is not None
    validation = Validation(schema)
    value = validation.without_absent(json.loads(answer))
    assert validation.problem(value) is None or "is not a" in str(validation.problem(value))


def test_nulls_of_what_may_be_left_out_are_taken_out_of_alternatives_too() -> None:
    """Of the alternative that the value is, in lists, and by reference, also to the whole schema."""
    person = {"type": "object", "properties": {"age": {"type": "string"}, "friend": {"$ref": "#"}}}
    schema = {
        "type": "object",
        "properties": {"who": {"anyOf": [{"type": "integer"}, {"type": "array", "items": {"$ref": "#/$defs/person"}}]}},
        "$defs": {"person": person},
    }
    validation = Validation(schema)
    assert validation.without_absent({"who": [{"age": None, "friend": {"who": None}}]}) == {"who": [{"friend": {}}]}
    assert validation.without_absent({"who": None}) == {}
    assert validation.without_absent({"who": 7}) == {"who": 7}


@pytest.mark.parametrize(
    ("kind", "endless"),
    [
        ({"type": "string"}, '"' + "a" * 250),
        ({"type": "integer"}, "1" * 20),
        ({"type": "number"}, "0." + "3" * 20),
        ({"type": "array", "items": {"type": "integer"}}, "[" + "1," * 25),
        ({}, '"' + "a" * 250),
        ({"type": "object"}, "{" + ",".join(f'"k{n}":1' for n in range(25))),
        ({"type": "object"}, '{"' + "k" * 70),
        ({"type": "object", "properties": {"k": {}}, "additionalProperties": True}, '{"k":1,"' + "k" * 70),
        (
            {"type": "object", "properties": {"k": {}}, "additionalProperties": {"type": "integer"}},
            '{"k":1,' + ",".join(f'"k{n}":1' for n in range(25)),
        ),
    ],
)
def test_nothing_can_go_on_for_ever(kind: dict[str, Any], endless: str) -> None:
    """Strings, numbers, lists and free keys end somewhere, with or without a type."""
    bounded = Bounds().apply({"type": "object", "properties": {"v": kind}, "required": ["v"]})
    assert not takes(bounded, '{"v":' + endless)


def test_definitions_are_found_from_a_list_of_records() -> None:
    """They stand at the top of what the model is held to."""
    node = {"type": "object", "properties": {"v": {"type": "integer"}}, "required": ["v"]}
    record = {
        "$defs": {"node": node},
        "type": "object",
        "properties": {"n": {"$ref": "#/$defs/node"}},
        "required": ["n"],
    }
    answer = Schema(name="S", record=record, many=True).answer
    assert takes(Bounds().apply(answer), '[{"n":{"v":1}}]')
    assert Validation(answer).problem([{"n": {"v": 1}}]) is None


def test_limits_of_the_schema_itself_are_kept() -> None:
    """Whoever sets one knows why."""
    given_limits = {"type": "string", "maxLength": 5000}
    bounded = Bounds().apply({"type": "object", "properties": {"v": given_limits}, "required": ["v"]})
    assert bounded["properties"]["v"] == given_limits


def test_decimals_are_checked_as_they_are_written() -> None:
    """0.29 is a multiple of 0.01, whatever binary fractions say."""
    validation = Validation({"type": "object", "properties": {"p": {"multipleOf": 0.01}}})
    assert validation.problem({"p": 0.29}) is None
    assert validation.problem({"p": 0.291}) is not None


@pytest.mark.parametrize(
    ("schema", "longest"),
    [
        ({"type": "string"}, 100),
        ({"type": "string", "format": "email"}, 40),
        ({"type": "string", "format": "uri"}, 40),
        ({"type": "string", "format": "email", "minLength": 50}, 50),
        ({"type": "string", "format": "email", "maxLength": 90}, 90),
        ({"type": "string", "format": "uuid"}, 100),
    ],
)
def test_an_address_has_a_bound_of_its_own(schema: dict[str, Any], longest: int) -> None:
    """It is no longer than the longest word of a text; what the schema says goes before that."""
    bounded = Bounds(max_string=100, max_address=40).apply({"type": "object", "properties": {"k": schema}})
    assert bounded["properties"]["k"]["anyOf"][0]["maxLength"] == longest
