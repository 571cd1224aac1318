"""Fields of a record, and the JSON Schema they come to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

TYPES: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "str": {"type": "string"},
        "int": {"type": "integer"},
        "float": {"type": "number"},
        "bool": {"type": "boolean"},
        "date": {"type": "string", "format": "date"},
        "datetime": {"type": "string", "format": "date-time"},
        "time": {"type": "string", "format": "time"},
        "email": {"type": "string", "format": "email"},
        "url": {"type": "string", "format": "uri"},
    }
)
"""The words for types, and what they are in JSON Schema."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field. What it holds is a type, one of some choices, or a record of its own; or a list of these."""

    name: str
    type: str = "str"
    """A key of `TYPES`; without meaning where there are choices or fields."""
    choices: tuple[str | int, ...] = ()
    fields: tuple["Field", ...] = ()
    """Of the record that it holds."""
    is_list: bool = False
    optional: bool = False
    """The text need not have it; then it is null."""
    description: str = ""

    def as_schema(self) -> dict[str, Any]:
        """JSON Schema of the value."""
        schema = self._single()
        if self.is_list:
            schema = {"type": "array", "items": schema}
        if self.optional:
            schema = _or_null(schema)
        return {**schema, "description": self.description} if self.description else schema

    def _single(self) -> dict[str, Any]:
        if self.fields:
            return object_schema(self.fields)
        return {"enum": list(self.choices)} if self.choices else dict(TYPES[self.type])


def object_schema(fields: Sequence[Field]) -> dict[str, Any]:
    """JSON Schema of a record. Every field is there; one that is optional may be null."""
    return {
        "type": "object",
        "properties": {field.name: field.as_schema() for field in fields},
        "required": [field.name for field in fields],
        "additionalProperties": False,
    }


def _or_null(schema: dict[str, Any]) -> dict[str, Any]:
    if "enum" in schema:
        return {"enum": [*schema["enum"], None]}
    if isinstance(schema.get("type"), str) and "properties" not in schema:
        return {**schema, "type": [schema["type"], "null"]}
    return {"anyOf": [schema, {"type": "null"}]}
