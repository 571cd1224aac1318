"""JSON Schemas of every kind that a reply can be held to, and some that none can."""

from collections.abc import Mapping
from typing import Any

PERSON = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
    "required": ["name", "age"],
    "additionalProperties": False,
}

SCHEMAS: Mapping[str, Mapping[str, Any]] = {
    "anything": {},
    "any object": {"type": "object"},
    "a string": {"type": "string"},
    "an integer": {"type": "integer"},
    "a bounded number": {"type": "number", "minimum": -2, "exclusiveMaximum": 3.5},
    "a multiple": {"type": "integer", "multipleOf": 7, "minimum": 1},
    "a person": PERSON,
    "bounded items": {"type": "array", "items": {"type": "integer", "minimum": 1000}, "minItems": 3, "maxItems": 5},
    "a long string": {"type": "string", "minLength": 50, "maxLength": 80},
    "formats": {
        "type": "object",
        "properties": {
            "mail": {"type": "string", "format": "email"},
            "day": {"type": "string", "format": "date"},
            "id": {"type": "string", "format": "uuid"},
        },
        "required": ["mail", "day", "id"],
    },
    "a pattern with a loop": {"type": "string", "pattern": "^(ab)*cd+X$"},
    "a code": {"type": "string", "pattern": "^[A-Z]{3}-[0-9]{4}$"},
    "choices": {"enum": ["red", "green", 3, None, {"a": [1]}]},
    "either": {"anyOf": [{"type": "integer"}, {"type": "array", "items": {"type": "string"}}]},
    "one of": {"oneOf": [{"type": "string"}, {"type": "boolean"}]},
    "a tree": {
        "type": "object",
        "properties": {"left": {"anyOf": [{"type": "null"}, {"$ref": "#"}]}, "name": {"type": "string"}},
        "required": ["left", "name"],
        "additionalProperties": False,
    },
    "a pair": {
        "type": "array",
        "prefixItems": [{"type": "string"}, {"type": "boolean"}],
        "items": False,
        "minItems": 2,
    },
    "a map": {"type": "object", "additionalProperties": {"type": "integer"}, "minProperties": 1},
    "definitions": {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$defs": {"tag": {"type": "string", "maxLength": 12}},
        "type": "object",
        "properties": {"tags": {"type": "array", "items": {"$ref": "#/$defs/tag"}, "uniqueItems": False}},
        "required": ["tags"],
    },
    "foreign letters": {"const": {"grüße": '你好\n"quoted" \\ 👋🏽'}},
}
"""By what they describe."""

REFUSED: Mapping[str, Mapping[str, Any]] = {
    "uniqueItems": {"type": "array", "uniqueItems": True},
    "not": {"not": {"type": "string"}},
    "if": {"if": {"type": "string"}, "then": {"minLength": 1}},
    "look-ahead": {"type": "string", "pattern": "^a(?=b)"},
    "Unknown format: color": {"type": "string", "format": "color"},
    "oneOf": {"oneOf": [{"type": "string"}, {"type": "string", "minLength": 3}]},
    "does not exist": {"$ref": "#/$defs/missing"},
    "example.com": {"$ref": "https://example.com/schema.json"},
    "Unsatisfiable": {"type": "integer", "minimum": 5, "maximum": 3},
    "Invalid type": {"type": "text"},
    "minProperties": {"type": "object", "additionalProperties": {"type": "integer"}, "minProperties": 2},
    "is not JSON": {"const": float("nan")},
}
"""By what the refusal must name."""
