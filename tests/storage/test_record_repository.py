"""What was read out of texts, and the schemas saved for that."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from bot.storage.conversation_repository import ConversationRepository
from bot.storage.database import Database
from bot.storage.record_repository import RecordRepository
from bot.storage.schema_repository import SchemaRepository

OpenDatabase = Callable[..., Awaitable[Database]]


async def _add(records: RecordRepository, user: str = "ann", **fields: Any) -> int:
    given = {
        "schema": "UserDetail",
        "version": "v1",
        "source": "a.txt",
        "source_hash": "h1",
        "text": "Jason is 25",
        "value": {"name": "Jason"},
        "grounding": [{"path": "name", "status": "found", "span": [0, 5]}],
        "model": "small",
        **fields,
    }
    return (await records.add(adapter="test", user=user, **given)).id


async def test_a_record_comes_back_as_it_was(open_database: OpenDatabase) -> None:
    """With its source, its schema and version, its model, its person and its time."""
    records = RecordRepository(await open_database())
    await _add(records)
    (record,) = await records.of(adapter="test", user="ann")
    assert (record.schema, record.version, record.source, record.model) == ("UserDetail", "v1", "a.txt", "small")
    assert record.value == {"name": "Jason"}
    assert record.grounding == [{"path": "name", "status": "found", "span": [0, 5]}]
    assert record.created_at.tzinfo is not None


async def test_records_are_found_by_person_and_schema(open_database: OpenDatabase) -> None:
    """Oldest first; the case of a schema's name does not matter; without a person those of everybody."""
    records = RecordRepository(await open_database())
    first, second = await _add(records), await _add(records, schema="Invoice")
    third = await _add(records, user="bob")
    assert [each.id for each in await records.of(adapter="test", user="ann")] == [first, second]
    assert [each.id for each in await records.of(adapter="test", user="ann", schema="invoice")] == [second]
    assert [each.id for each in await records.of()] == [first, second, third]


@pytest.mark.parametrize("other", [{"version": "v2"}, {"source_hash": "h2"}, {"model": "big"}])
async def test_the_same_text_is_known_again(open_database: OpenDatabase, other: dict[str, str]) -> None:
    """Only for the same schema, text and model, and the same person."""
    records = RecordRepository(await open_database())
    await _add(records)
    wanted = {"adapter": "test", "user": "ann", "version": "v1", "source_hash": "h1", "model": "small"}
    assert await records.same(**wanted) is not None
    assert await records.same(**{**wanted, **other}) is None
    assert await records.same(**{**wanted, "user": "bob"}) is None


async def test_a_persons_schemas(open_database: OpenDatabase) -> None:
    """Saved under a name in any case, replaced, listed by name, deleted; nobody else's."""
    schemas = SchemaRepository(await open_database())
    await schemas.put(adapter="test", user="ann", name="Shop", definition="a")
    await schemas.put(adapter="test", user="ann", name="shop", definition="b")
    await schemas.put(adapter="test", user="ann", name="Bill", definition="c")
    await schemas.put(adapter="test", user="bob", name="Shop", definition="d")
    assert [(each.name, each.definition) for each in await schemas.of("test", "ann")] == [("Bill", "c"), ("shop", "b")]
    assert await schemas.delete(adapter="test", user="ann", name="SHOP")
    assert not await schemas.delete(adapter="test", user="ann", name="SHOP")
    assert len(await schemas.of("test", "bob")) == 1


async def test_forgetting_a_person_takes_records_and_schemas_along(open_database: OpenDatabase) -> None:
    """Others keep theirs."""
    database = await open_database()
    records, schemas = RecordRepository(database), SchemaRepository(database)
    for user in ("ann", "bob"):
        await _add(records, user)
        await schemas.put(adapter="test", user=user, name="Shop", definition="a")
    await ConversationRepository(database).forget_user("test", "ann")
    assert await records.of(adapter="test", user="ann") == []
    assert await schemas.of("test", "ann") == []
    assert len(await records.of()) == len(await schemas.of("test", "bob")) == 1
