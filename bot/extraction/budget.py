"""How many tokens an answer to a bounded schema may take."""

from collections.abc import Mapping
from typing import Any

_SYNTAX = 3
"""Tokens around a value: quotes, a colon, a comma."""
_OF_A_NUMBER = 28
_OF_A_WORD = 8
_TOKENS_OF_A_CHARACTER = 1.5
"""At worst; more than one only where a tokenizer has no word of the script at hand."""
_DEEPEST = 12
LEAST = 32
MOST = 2048


def budget(schema: Mapping[str, Any]) -> int:
    """The most that a schema made finite by `Bounds` needs, from `LEAST` to `MOST` tokens.

    The value is closed in time where even that is not enough, so this bounds how long an answer takes.
    """
    return max(LEAST, min(MOST, _size(schema, schema, 0)))


def _size(schema: Any, root: Mapping[str, Any], depth: int) -> int:
    if not isinstance(schema, Mapping) or depth > _DEEPEST:
        return _OF_A_WORD
    if "const" in schema or "enum" in schema:
        choices = schema.get("enum", [schema.get("const")])
        return _SYNTAX + max((_characters(len(str(choice))) for choice in choices), default=0)
    sizes = [
        max(_size(part, root, depth + 1) for part in schema[key])
        for key in ("anyOf", "oneOf", "allOf")
        if schema.get(key)
    ]
    if isinstance(reference := schema.get("$ref"), str):
        name = reference.rpartition("/")[2]
        sizes.append(_size({**root.get("definitions", {}), **root.get("$defs", {})}.get(name), root, depth + 3))
    if "properties" in schema or "additionalProperties" in schema or "patternProperties" in schema:
        sizes.append(_of_object(schema, root, depth))
    if "items" in schema or "prefixItems" in schema:
        sizes.append(_of_array(schema, root, depth))
    if "maxLength" in schema:
        sizes.append(_SYNTAX + _characters(schema["maxLength"]))
    return min(MOST, max(sizes, default=_OF_A_NUMBER))


def _of_object(schema: Mapping[str, Any], root: Mapping[str, Any], depth: int) -> int:
    properties = schema.get("properties", {})
    size: int = sum(
        _characters(len(name)) + _SYNTAX + _size(part, root, depth + 1) for name, part in properties.items()
    )
    others: list[Any] = [*schema.get("patternProperties", {}).values(), schema.get("additionalProperties", False)]
    extra = schema.get("maxProperties", len(properties)) - len(properties)
    return size + max(0, int(extra)) * (_OF_A_WORD + max(_size(part, root, depth + 1) for part in others)) + _SYNTAX


def _of_array(schema: Mapping[str, Any], root: Mapping[str, Any], depth: int) -> int:
    prefix = schema.get("prefixItems", ())
    most: int = schema.get("maxItems", len(prefix))
    first = sum(_size(part, root, depth + 1) for part in prefix[:most])
    return first + max(0, most - len(prefix)) * (_size(schema.get("items"), root, depth + 1) + 1) + _SYNTAX


def _characters(count: int) -> int:
    return int(count * _TOKENS_OF_A_CHARACTER) + 1
