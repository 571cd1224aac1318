"""What an adapter puts down is there after a restart, until its time is over or somebody takes it."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.storage.adapter_value_repository import AdapterValueRepository
from bot.storage.database import Database

PAST = datetime(2020, 1, 1, tzinfo=UTC)
FUTURE = datetime.now(UTC) + timedelta(days=1)


@pytest.fixture
def values(database: Database) -> AdapterValueRepository:
    """The values in `database`."""
    return AdapterValueRepository(database)


async def test_each_adapter_has_its_own(values: AdapterValueRepository) -> None:
    """The same name means something else in another adapter, and a second text takes the first one's place."""
    await values.put("web", "session:1", "ann")
    await values.put("telegram", "session:1", "bob")
    await values.put("web", "session:1", "eve", until=FUTURE)
    assert await values.get("web", "session:1") == "eve"
    assert await values.get("telegram", "session:1") == "bob"
    assert await values.get("web", "session:2") is None


async def test_listed_by_how_the_name_starts(values: AdapterValueRepository) -> None:
    """Every text whose name starts so is listed, with signs that mean something to SQL taken as they are."""
    for name in ("link:b", "link:a", "session:a", "li%k:a"):
        await values.put("web", name, name.upper())
    assert dict(await values.all("web", "link:")) == {"link:a": "LINK:A", "link:b": "LINK:B"}
    assert dict(await values.all("web", "li%")) == {"li%k:a": "LI%K:A"}


async def test_what_is_over_is_gone(values: AdapterValueRepository, database: Database) -> None:
    """A text whose time is over is found by nobody, and the next that is put down clears it away."""
    await values.put("web", "old", "ann", until=PAST)
    assert await values.get("web", "old") is None
    assert await values.all("web", "") == {}
    assert await values.take("web", "old") is None
    await values.put("web", "older", "ann", until=PAST)
    await values.put("web", "new", "ann")
    assert [row["name"] for row in await database.fetch("SELECT name FROM adapter_values")] == ["new"]


async def test_taken_once(values: AdapterValueRepository) -> None:
    """Of two who take the same text one gets it."""
    await values.put("web", "link:1", "ann", until=FUTURE)
    assert await values.take("web", "link:1") == "ann"
    assert await values.take("web", "link:1") is None
