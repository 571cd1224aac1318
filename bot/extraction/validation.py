"""Checks an answer by its schema, and takes out what stands for "not in the text"."""

import json
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

_LONGEST = 200


class Validation:
    """A schema that answers are checked by, formats and all."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self._schema = schema
        # Decimal on both sides: 0.29 is no multiple of 0.01 in binary fractions.
        self._validator = Draft202012Validator(
            json.loads(json.dumps(schema), parse_float=Decimal), format_checker=Draft202012Validator.FORMAT_CHECKER
        )

    def problem(self, value: Any) -> str | None:
        """What is wrong with a value, in words for the model and for people; None for a valid one."""
        exact = json.loads(json.dumps(value), parse_float=Decimal)
        error = best_match(self._validator.iter_errors(exact))
        if error is None:
            return None
        where = ".".join(str(part) for part in error.absolute_path)
        return f"{f'{where}: ' if where else ''}{error.message}"[:_LONGEST]

    def without_absent(self, value: Any) -> Any:
        """The value without the nulls of properties that the schema lets be left out, but not be null."""
        return _stripped(value, self._schema, self._schema)


def _stripped(value: Any, schema: Any, root: Mapping[str, Any]) -> Any:
    if not isinstance(schema, Mapping):
        return value
    if isinstance(reference := schema.get("$ref"), str):
        name = reference.rpartition("/")[2]
        target = {**root.get("definitions", {}), **root.get("$defs", {})}.get(name)
        return _stripped(value, root if reference == "#" else target, root)
    for part in (*schema.get("anyOf", ()), *schema.get("oneOf", ())):
        stripped = _stripped(value, part, root)
        if _allows(part, stripped, root):
            value = stripped
            break
    if isinstance(value, list):
        prefix = schema.get("prefixItems", ())
        rest = schema.get("items", True)
        return [
            _stripped(item, prefix[index] if index < len(prefix) else rest, root) for index, item in enumerate(value)
        ]
    if not isinstance(value, dict):
        return value
    properties, required = schema.get("properties", {}), schema.get("required", ())
    return {
        key: _stripped(item, _of_property(key, schema), root)
        for key, item in value.items()
        if item is not None or key in required or key not in properties or _allows(properties[key], None, root)
    }


def _of_property(key: str, schema: Mapping[str, Any]) -> Any:
    if key in schema.get("properties", ()):
        return schema["properties"][key]
    for pattern, part in schema.get("patternProperties", {}).items():
        if re.search(pattern, key):
            return part
    return schema.get("additionalProperties", True)


def _allows(schema: Any, value: Any, root: Mapping[str, Any]) -> bool:
    if not isinstance(schema, Mapping):
        return bool(schema)
    # The whole schema's validator, for what is referred to.
    allowed: bool = Draft202012Validator(root).evolve(schema=schema).is_valid(value)
    return allowed
