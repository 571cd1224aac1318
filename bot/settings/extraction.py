"""What can be read out of texts: the schemas of `/extract`, and how that is done."""

import json
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from bot.errors import SchemaError
from bot.schemas.fields import Field as RecordField
from bot.schemas.fields import object_schema
from bot.schemas.schema import Example, Schema
from bot.schemas.short_language import parse_short
from bot.schemas.support import check_support
from bot.settings.base import Name, Settings, Text, Wording, conflict

SchemaName = Annotated[
    str,
    Field(pattern=r"^[A-Za-z_][A-Za-z0-9_-]{0,63}$"),
    Wording("a word of letters, digits, - and _, such as Invoice"),
]
_FORMS = ("fields", "short", "json_schema", "file")


class FieldSettings(Settings):
    """One field of a record."""

    name: Name = Field(description="how it is called in the result")
    type: Literal["str", "int", "float", "bool", "date", "datetime", "time", "email", "url"] = Field(
        "str", description="what it holds"
    )
    description: str = Field("", description="what the model is told about it")
    choices: tuple[str, ...] = Field((), strict=False, description="the only values it may have, in place of a type")
    fields: "tuple[FieldSettings, ...]" = Field(
        (), strict=False, description="fields of the record that it holds, in place of a type"
    )
    is_list: bool = Field(False, description="it holds any number of these")
    optional: bool = Field(False, description="a text need not have it")

    def as_field(self) -> RecordField:
        """The same, as the schema language has it."""
        return RecordField(
            name=self.name,
            type=self.type,
            choices=self.choices,
            fields=tuple(field.as_field() for field in self.fields),
            is_list=self.is_list,
            optional=self.optional,
            description=self.description,
        )


class ExtractionExample(Settings):
    """A text and what is to be read out of it, shown to the model first."""

    text: str = Field(description="what a person sends")
    result: Any = Field(description="the record, or a list of them with many")


class SchemaSettings(Settings):
    """What is to be read out of a text. One of fields, short, json_schema and file says which values."""

    description: str = Field("", description="what such a record is, in a few words")
    instructions: str = Field("", description="what to look for, and what to leave out")
    many: bool = Field(False, description="a text has any number of such records")
    fields: tuple[FieldSettings, ...] = Field((), strict=False, description="the values, as a list")
    short: Text | None = Field(None, description="the values in the short language, such as: name, age int")
    json_schema: dict[str, Any] | None = Field(None, description="the values as JSON Schema")
    file: Text | None = Field(None, description="a JSON file that has the JSON Schema")
    examples: tuple[ExtractionExample, ...] = Field((), strict=False, description="texts with their results")

    @model_validator(mode="after")
    def _usable(self) -> "SchemaSettings":
        given = [form for form in _FORMS if getattr(self, form)]
        if len(given) != 1:
            found = f"found {' and '.join(given)}" if given else "none is there"
            raise conflict(f"needs exactly one of {', '.join(_FORMS)}; {found}", *((form,) for form in given or _FORMS))
        try:
            check_support(self._as_read[0])
        except SchemaError as error:
            raise conflict(error.user_text, (given[0],)) from None
        return self

    @cached_property
    def _as_read(self) -> tuple[dict[str, Any], bool]:
        return self._record()

    def _record(self) -> tuple[dict[str, Any], bool]:
        """JSON Schema of a record, and whether there are many. Raises `SchemaError`."""
        if self.short is not None:
            record, many = parse_short(self.short)
            return record, many or self.many
        if self.fields:
            return object_schema([field.as_field() for field in self.fields]), self.many
        return (self.json_schema or _read(self.file or "")), self.many

    def as_schema(self, name: str) -> Schema:
        """The schema, under its name."""
        record, many = self._as_read
        return Schema(
            name=name,
            record=record,
            many=many,
            description=self.description,
            instructions=self.instructions,
            examples=tuple(Example(text=each.text, value=each.result) for each in self.examples),
        )


def _read(path: str) -> dict[str, Any]:
    try:
        found = json.loads(Path(path).expanduser().read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise SchemaError(f"{path} cannot be read as JSON: {getattr(error, 'strerror', None) or error}") from error
    if not isinstance(found, dict):
        raise SchemaError(f"{path} has no JSON Schema: an object is wanted")
    return found


# Not validated, which would import the compiler of schemas for a start that needs none; a test does.
USER_DETAIL = SchemaSettings.model_construct(
    description="a person",
    fields=(
        FieldSettings(name="name", description="the person's name"),
        FieldSettings(name="age", type="int", description="years"),
    ),
)


class ExtractionSettings(Settings):
    """`/extract` and `hearthbot extract`: JSON out of text."""

    schemas: dict[SchemaName, SchemaSettings] = Field(
        {"UserDetail": USER_DETAIL}, min_length=1, description="what can be read out, by name; the first is the default"
    )
    unknown: Literal["error"] | None = Field(
        None, description="what becomes of an optional value that is not in the text: null, or error"
    )
    chunk_tokens: Annotated[int, Field(ge=64)] = Field(
        800, description="a longer text is read in parts of about so many tokens"
    )
    max_string: Annotated[int, Field(ge=1, le=10_000)] = Field(
        200, description="most characters of a text value whose schema sets no limit"
    )
    max_items: Annotated[int, Field(ge=1, le=1000)] = Field(
        20, description="most entries of a list whose schema sets no limit, from each part of the text"
    )
    keep: bool = Field(True, description="keep the records, for /records and for exports")

    def named(self) -> dict[str, Schema]:
        """Every schema by its name."""
        return {name: each.as_schema(name) for name, each in self.schemas.items()}
