import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.adapter_state import AdapterState
from bot.errors import StorageError
from bot.ops.caretaker import LOOK_EVERY_S, TIDY_EVERY, Caretaker
from bot.ops.last_life import LastLife

NOW = datetime(2026, 12, 24, tzinfo=UTC)


class House:
    """What a caretaker looks after, with a clock that goes on at each of its pauses."""

    def __init__(self, *, looks: int, retention_days: int | None = None, step: timedelta | None = None) -> None:
        self.now = NOW
        self.told: list[str] = []
        self.deleted: list[datetime] = []
        self.unreachable = 0
        self.storage_fails = False
        self.adapters: Sequence[AdapterState] = ()
        self._looks = looks
        self._step = step or timedelta(seconds=LOOK_EVERY_S)
        self._retention_days = retention_days

    async def tell(self, text: str) -> int:
        """Reach the admin, or nobody for the first times."""
        if self.unreachable:
            self.unreachable -= 1
            return 0
        self.told.append(text)
        return 1

    async def delete(self, before: datetime) -> None:
        """Note from when on, or fail."""
        self.deleted.append(before)
        if self.storage_fails:
            raise StorageError("the disk is full")

    async def sleep(self, _seconds: float) -> None:
        """Let time pass, and end after the last look."""
        self.now += self._step
        self._looks -= 1
        if not self._looks:
            raise asyncio.CancelledError

    async def look(self, *first: str) -> None:
        """Let a caretaker do its rounds."""
        caretaker = Caretaker(
            adapters=lambda: self.adapters,
            free_space=lambda: 10 << 30,
            tell_admins=self.tell,
            delete_before=self.delete,
            retention_days=lambda: self._retention_days,
            now=lambda: self.now,
            sleep=self.sleep,
        )
        with pytest.raises(asyncio.CancelledError):
            await caretaker.run(*first)


async def test_what_could_not_be_told_is_told_when_somebody_can_be_reached() -> None:
    """The adapter that is lost may be the only one, and the news are told in order, each once."""
    house = House(looks=4)
    house.adapters = [AdapterState(name="telegram", phase="stopped", since=NOW, reason="why")]
    house.unreachable = 2
    await house.look("I was cut off.")
    assert house.told == ["I was cut off.", "telegram has stopped: why"]


async def test_old_messages_are_deleted_a_few_times_a_day() -> None:
    """At the start too: a box that is switched off at night never comes to six hours."""
    house = House(looks=4, retention_days=30, step=TIDY_EVERY / 2)
    await house.look()
    assert house.deleted == [NOW - timedelta(days=30), NOW + TIDY_EVERY - timedelta(days=30)]


async def test_without_retention_nothing_is_deleted() -> None:
    """The default."""
    house = House(looks=3, step=TIDY_EVERY)
    await house.look()
    assert house.deleted == []


async def test_a_deletion_that_fails_is_tried_again_later() -> None:
    """And does not end the care."""
    house = House(looks=2, retention_days=1, step=TIDY_EVERY)
    house.storage_fails = True
    await house.look()
    assert len(house.deleted) == 2


def test_a_life_that_was_cut_off_is_known_to_the_next(tmp_path: Path) -> None:
    """One that ended as it should leaves no mark."""
    life = LastLife(tmp_path / "running")
    assert not life.begin()
    assert LastLife(tmp_path / "running").begin()
    life.end()
    assert not life.begin()
