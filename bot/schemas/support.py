"""Which JSON Schemas can be held to while the model writes. What cannot is refused by name, never ignored."""

import json
import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from bot.errors import SchemaError

_SINGLE = frozenset({"additionalProperties", "items", "additionalItems"})
_LISTS = frozenset({"anyOf", "oneOf", "allOf", "prefixItems"})
_NAMED = frozenset({"properties", "patternProperties", "$defs", "definitions"})
_VALUES = frozenset(
    {
        *("type", "enum", "const", "$ref", "required", "minProperties", "maxProperties", "minItems", "maxItems"),
        *("minLength", "maxLength", "pattern", "format"),
        *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    }
)
_NOTES = frozenset(
    {
        *("$schema", "$id", "$anchor", "$comment", "title", "description", "default", "examples"),
        *("readOnly", "writeOnly", "deprecated"),
    }
)
KEYWORDS = _SINGLE | _LISTS | _NAMED | _VALUES | _NOTES
"""Every keyword that a schema may have."""
FORMATS = (
    *("date", "time", "date-time", "duration", "email"),
    *("hostname", "ipv4", "ipv6", "uuid", "uri"),
)
"""Formats that llguidance can hold to: https://github.com/guidance-ai/llguidance/blob/main/docs/json_schema.md"""
_DEEPEST = 32
_CONTROL = re.compile(r"(?<!\\)(?:\\\\)*\\u00[017]")
"""In JSON as Python writes it: control characters but those that have an escape of their own."""


def check_support(schema: Mapping[str, Any]) -> None:
    """Raises `SchemaError` for what is no JSON Schema of an object, or has a part that cannot be held to."""
    for place, part in subschemas(schema):
        _check_keywords(place, part)
    _check_form(schema)
    if schema.get("type") != "object":
        raise SchemaError('the schema must be that of an object: "type": "object". For a list of them, say `many`')
    _compile(schema)


def subschemas(schema: Any, place: str = "", depth: int = 0) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """A schema and every one inside it, each with where it stands, such as `properties.age`."""
    if depth > _DEEPEST:
        raise SchemaError(f"the schema is nested more than {_DEEPEST} deep")
    if not isinstance(schema, Mapping):
        return
    yield place, schema
    for key, value in schema.items():
        at = f"{place}.{key}" if place else str(key)
        if key in _SINGLE:
            yield from subschemas(value, at, depth + 1)
        elif key in _LISTS and isinstance(value, list | tuple):
            for index, item in enumerate(value):
                yield from subschemas(item, f"{at}[{index}]", depth + 1)
        elif key in _NAMED and isinstance(value, Mapping):
            for name, item in value.items():
                yield from subschemas(item, f"{at}.{name}", depth + 1)


def _check_keywords(place: str, schema: Mapping[str, Any]) -> None:
    where = f"{place}: " if place else ""
    for key in schema:
        if key in KEYWORDS or str(key).startswith("x-"):
            continue
        near = get_close_matches(str(key), KEYWORDS, n=1, cutoff=0.75)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise SchemaError(f"{where}the keyword {key!r} is not supported{hint}")
    if _CONTROL.search(json.dumps([schema.get("enum"), schema.get("const")])):
        raise SchemaError(f"{where}a choice with control characters cannot be written")
    least = schema.get("minProperties", 0)
    if isinstance(least, int) and least > 1 and least > len(schema.get("properties", ())):
        # keys without a name in the schema could come twice, and would count once
        raise SchemaError(f"{where}minProperties above 1 needs as many named properties")
    kind = schema.get("format")
    if kind is not None and kind not in FORMATS:
        raise SchemaError(f"{where}the format {kind!r} is not supported; there are {', '.join(FORMATS)}")


def _check_form(schema: Mapping[str, Any]) -> None:
    import jsonschema  # noqa: PLC0415 - not needed without schemas

    try:
        jsonschema.Draft202012Validator.check_schema(schema)
    except jsonschema.SchemaError as error:
        where = ".".join(str(part) for part in error.absolute_path)
        raise SchemaError(f"{f'{where}: ' if where else ''}{error.message}") from None


def _compile(schema: Mapping[str, Any]) -> None:
    """What is left, such as a `oneOf` whose members overlap or a look-ahead in a pattern, the compiler finds."""
    from llguidance import LLMatcher  # noqa: PLC0415 - as above

    try:
        grammar = LLMatcher.grammar_from_json_schema(json.dumps(schema))
        failed, problems = LLMatcher.validate_grammar_with_warnings(grammar)
    except (ValueError, RecursionError) as error:
        raise SchemaError(f"the schema cannot be used: {error}") from error
    if failed:
        raise SchemaError(f"the schema cannot be held to: {'; '.join(problems)}")
