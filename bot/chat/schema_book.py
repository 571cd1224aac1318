"""The schemas that a person can name: their own, and those of the configuration."""

from collections.abc import Mapping, Sequence

from bot.errors import SchemaError
from bot.schemas.schema import Schema
from bot.storage.schema_repository import SchemaRepository


class SchemaBook:
    """A person's own schema comes before one of the same name in the configuration. Case does not matter."""

    def __init__(self, *, configured: Mapping[str, Schema], saved: SchemaRepository) -> None:
        """The first of `configured` is the default."""
        self._configured = dict(configured)
        self._saved = saved

    @property
    def default(self) -> Schema:
        """What is meant when nothing is said."""
        return next(iter(self._configured.values()))

    @property
    def configured(self) -> Sequence[Schema]:
        """Those that everybody has."""
        return tuple(self._configured.values())

    async def of(self, adapter: str, user: str) -> dict[str, Schema]:
        """All that a person can name, by their names in lower case."""
        own = await self.own(adapter, user)
        return {schema.name.lower(): schema for schema in (*self._configured.values(), *own)}

    async def own(self, adapter: str, user: str) -> list[Schema]:
        """Those that the person has saved; one that this version cannot read any more is left out."""
        schemas = []
        for saved in await self._saved.of(adapter, user):
            try:
                schemas.append(Schema.of_short(saved.definition, name=saved.name))
            except SchemaError:
                continue
        return schemas

    async def save(self, adapter: str, user: str, name: str, definition: str) -> Schema:
        """Keep a schema in the short language. Raises `SchemaError`."""
        schema = Schema.of_short(definition, name=name)
        await self._saved.put(adapter=adapter, user=user, name=name, definition=definition)
        return schema

    async def delete(self, adapter: str, user: str, name: str) -> bool:
        """Whether the person had one of that name."""
        return await self._saved.delete(adapter=adapter, user=user, name=name)
