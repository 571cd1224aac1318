import asyncio

import pytest

from bot.ops.service_manager import ServiceManager
from bot.ops.watchdog import STATUS_EVERY_S, Watchdog


class FakeManager(ServiceManager):
    """Counts what it is told."""

    def __init__(self, watchdog_s: float | None) -> None:
        super().__init__(None, watchdog_s=watchdog_s)
        self.fed = 0
        self.said: list[str] = []

    def alive(self) -> None:
        """Count the feedings."""
        self.fed += 1

    def status(self, text: str) -> None:
        """Keep what it does."""
        self.said.append(text)


class Time:
    """Ends the watchdog after as many rounds as there are heartbeats."""

    def __init__(self, *heartbeats: float) -> None:
        self.heartbeats = list(heartbeats)
        self.slept: list[float] = []

    def heartbeat(self) -> float:
        """Return the next one."""
        return self.heartbeats.pop(0)

    async def sleep(self, seconds: float) -> None:
        """Let no time pass."""
        self.slept.append(seconds)
        if not self.heartbeats:
            raise asyncio.CancelledError


async def watch(manager: FakeManager, time: Time) -> None:
    """Let the watchdog run out of heartbeats."""
    dog = Watchdog(manager, heartbeat_s=time.heartbeat, status=lambda: "serving", sleep=time.sleep)
    with pytest.raises(asyncio.CancelledError):
        await dog.run()


async def test_it_feeds_while_the_engine_moves() -> None:
    """Several times within the manager's limit, since one datagram may be late."""
    manager, time = FakeManager(watchdog_s=9.0), Time(0.0, 4.0, 0.0)
    await watch(manager, time)
    assert manager.fed == 3
    assert time.slept == [3.0] * 3


async def test_it_starves_the_manager_while_a_decode_hangs(caplog: pytest.LogCaptureFixture) -> None:
    """And says so once; a decode that ends after all is fed again."""
    manager, time = FakeManager(watchdog_s=9.0), Time(0.0, 9.0, 12.0, 0.0)
    await watch(manager, time)
    assert manager.fed == 2
    assert [record.levelname for record in caplog.records] == ["ERROR"]


async def test_without_a_watchdog_it_only_says_what_it_does() -> None:
    """`systemctl status` shows it all the same."""
    manager, time = FakeManager(watchdog_s=None), Time(0.0, 100.0)
    await watch(manager, time)
    assert manager.fed == 0
    assert manager.said == ["serving", "serving"]
    assert time.slept == [STATUS_EVERY_S] * 2
