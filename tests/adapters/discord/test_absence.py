"""How long Discord is away before anybody is told."""

import asyncio

import pytest

from adapters.discord.absence import AWAY_FOR_S, Absence
from tests.support.fake_clock import FakeClock


class World:
    """Notes what is said."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.said: list[str] = []
        self.absence = Absence(away=lambda: self.said.append("away"), back=self._back, sleep=self.clock.sleep)

    async def _back(self) -> None:
        self.said.append("back")

    async def passes(self, seconds: float) -> None:
        """Time goes by."""
        self.clock.advance(seconds)
        for _ in range(3):
            await asyncio.sleep(0)


@pytest.fixture
def world() -> World:
    """Connected."""
    return World()


async def test_a_long_one_is_said_once(world: World) -> None:
    """However many attempts fail in it."""
    for _ in range(3):
        world.absence.begin()
        await asyncio.sleep(0)
        await world.passes(AWAY_FOR_S)
    assert world.said == ["away"]
    await world.absence.end()
    await world.absence.end()
    assert world.said == ["away", "back"]


async def test_a_short_one_is_not(world: World) -> None:
    """And does not count for the next."""
    for _ in range(2):
        world.absence.begin()
        await asyncio.sleep(0)
        await world.passes(AWAY_FOR_S - 1)
        await world.absence.end()
    await world.passes(AWAY_FOR_S)
    assert world.said == []


async def test_a_connection_that_is_closed_is_no_absence(world: World) -> None:
    """An adapter that was stopped must not say that its successor is away."""
    world.absence.begin()
    await asyncio.sleep(0)
    await world.absence.close()
    world.absence.begin()
    await world.passes(AWAY_FOR_S)
    assert world.said == []
