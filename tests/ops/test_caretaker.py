import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.adapter_state import AdapterState
from bot.errors import StorageError
from bot.ops.calendar import SETTLES_AFTER_LEAP_S, SETTLES_S, Calendar
from bot.ops.caretaker import LOOK_EVERY_S, TIDY_EVERY_S, Caretaker
from bot.ops.last_life import LastLife

NOW = datetime(2026, 12, 24, tzinfo=UTC)


class House:
    """What a caretaker looks after, with a clock that goes on at each of its pauses."""

    def __init__(self, *, looks: int, retention_days: int | None = None, step_s: float = LOOK_EVERY_S) -> None:
        self.now, self.elapsed_s = NOW, 0.0
        self.leaps: dict[int, timedelta] = {}
        """By how much the date is set anew, before the look that has so many looks after it."""
        self.told: list[str] = []
        self.deleted: list[datetime] = []
        self.unreachable = 0
        self.storage_fails = False
        self.adapters: Sequence[AdapterState] = ()
        self._looks = looks
        self._step_s = step_s
        self._retention_days = retention_days

    def date_s(self) -> float:
        """Seconds since 1970."""
        return self.now.timestamp()

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
        self.elapsed_s += self._step_s
        self._looks -= 1
        self.now += timedelta(seconds=self._step_s) + self.leaps.get(self._looks, timedelta(0))
        if not self._looks:
            raise asyncio.CancelledError

    async def look(self, *first: str) -> None:
        """Let a caretaker do its rounds."""
        caretaker = Caretaker(
            adapters=lambda: self.adapters,
            free_space=lambda: 10 << 30,
            damaged=lambda: False,
            tell_admins=self.tell,
            delete_before=self.delete,
            retention_days=lambda: self._retention_days,
            calendar=Calendar(date_s=self.date_s, elapsed_s=lambda: self.elapsed_s),
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
    """The first time soon after the start: a box that is switched off at night never comes to six hours."""
    house = House(looks=4, retention_days=30, step_s=TIDY_EVERY_S / 2)
    await house.look()
    first = NOW + timedelta(seconds=TIDY_EVERY_S / 2)
    assert house.deleted == [first - timedelta(days=30), first + timedelta(seconds=TIDY_EVERY_S) - timedelta(days=30)]


async def test_nothing_is_deleted_by_a_date_that_may_be_put_right_yet() -> None:
    """Right after the start."""
    house = House(looks=2, retention_days=30, step_s=SETTLES_S - 1)
    await house.look()
    assert house.deleted == []


async def test_a_date_that_is_wrong_for_an_hour_deletes_nothing() -> None:
    """It is set ten years ahead and back again: the admin hears of it, and no message is lost."""
    house = House(looks=12, retention_days=30, step_s=SETTLES_AFTER_LEAP_S / 12)
    decade = timedelta(days=3650)
    house.leaps = {11: decade, 9: -decade}
    await house.look()
    assert house.deleted == []
    (said,) = house.told
    assert "forward by 3650 days" in said


async def test_a_date_that_was_set_and_stays_is_gone_by_in_the_end() -> None:
    """A machine without a battery was off for a year."""
    house = House(looks=4, retention_days=30, step_s=SETTLES_AFTER_LEAP_S)
    house.leaps = {3: timedelta(days=365)}
    await house.look()
    assert house.deleted[0] > NOW + timedelta(days=335)
    assert len(house.told) == 1


async def test_without_retention_nothing_is_deleted() -> None:
    """The default."""
    house = House(looks=3, step_s=TIDY_EVERY_S)
    await house.look()
    assert house.deleted == []


async def test_a_deletion_that_fails_is_tried_again_later() -> None:
    """And does not end the care."""
    house = House(looks=3, retention_days=1, step_s=TIDY_EVERY_S)
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
