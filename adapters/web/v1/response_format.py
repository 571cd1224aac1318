"""`response_format`: text, any JSON object, or JSON by a schema."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from adapters.web.v1.fields import ApiModel
from adapters.web.v1.tool_fields import Schema
from bot.request import JsonConstraint


class TextFormat(ApiModel):
    """Anything."""

    type: Literal["text"]

    @property
    def constraint(self) -> JsonConstraint | None:
        """There is none."""
        return None


class JsonObjectFormat(ApiModel):
    """A JSON object."""

    type: Literal["json_object"]

    @property
    def constraint(self) -> JsonConstraint | None:
        """Any object."""
        return JsonConstraint(schema={"type": "object"})


class NamedSchema(ApiModel):
    """A JSON Schema with a name."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    description: str | None = None
    schema_: Schema = Field(alias="schema")
    strict: bool | None = Field(None, description="the answer follows the schema either way")


class JsonSchemaFormat(ApiModel):
    """JSON that follows a schema, by construction."""

    type: Literal["json_schema"]
    json_schema: NamedSchema

    @property
    def constraint(self) -> JsonConstraint | None:
        """The schema."""
        return JsonConstraint(schema=self.json_schema.schema_)


ResponseFormat = Annotated[TextFormat | JsonObjectFormat | JsonSchemaFormat, Field(discriminator="type")]
