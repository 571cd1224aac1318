"""What is to be read out of a text, with all that the model is told about it."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from bot.schemas.short_language import parse_short
from bot.schemas.support import check_support

_DEFINITIONS = ("$defs", "definitions")
ADHOC = "record"
"""Name of a schema that was written in place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A text, and what is to be read out of it."""

    text: str
    value: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """A record's JSON Schema, and how to find such records."""

    name: str
    record: Mapping[str, Any]
    """JSON Schema of one record, an object."""
    many: bool = False
    """A list of records is wanted, not one."""
    description: str = ""
    instructions: str = ""
    examples: tuple[Example, ...] = field(default=())

    @classmethod
    def of_short(cls, text: str, *, name: str = ADHOC) -> Self:
        """A schema in the short language. Raises `SchemaError`."""
        record, many = parse_short(text)
        check_support(record)
        return cls(name=name, record=record, many=many)

    @property
    def version(self) -> str:
        """Changes with anything that the result depends on: eight hexadecimal digits."""
        parts = [self.record, self.many, self.description, self.instructions]
        parts += [[example.text, example.value] for example in self.examples]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:8]

    @property
    def fields(self) -> tuple[str, ...]:
        """Names of a record's fields, in order."""
        return tuple(self.record.get("properties", ()))

    @property
    def answer(self) -> Mapping[str, Any]:
        """JSON Schema of the whole answer."""
        if not self.many:
            return self.record
        # Definitions are referred to from the top.
        shared = {key: value for key, value in self.record.items() if key in _DEFINITIONS}
        record = {key: value for key, value in self.record.items() if key not in _DEFINITIONS}
        return {**shared, "type": "array", "items": record}
