"""What makes the daemon read its configuration again, and whom it tells when that fails."""

import asyncio
import signal
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot.errors import ConfigError
from bot.live.reload_signal import ReloadSignal
from bot.live.reload_triggers import ReloadTriggers


class FakeReloader:
    """Counts, and raises what the test wants."""

    def __init__(self) -> None:
        self.count = 0
        self.error: Exception | None = None
        self.done = asyncio.Event()
        self.closed = False

    async def reload(self) -> None:
        """Count."""
        self.count += 1
        self.done.set()
        if self.error is not None:
            raise self.error

    async def aclose(self) -> None:
        """Note it."""
        self.closed = True


class FakeWatch:
    """A file that is saved when the test says so."""

    def __init__(self) -> None:
        self.saved: asyncio.Queue[None] = asyncio.Queue()

    async def saves(self) -> AsyncIterator[None]:
        """Yield the saves."""
        while True:
            yield await self.saved.get()


class World:
    """The triggers, on fakes."""

    def __init__(self) -> None:
        self.reloader, self.watch, self.hangup = FakeReloader(), FakeWatch(), ReloadSignal()
        self.hung_up = False
        self.told: asyncio.Queue[str] = asyncio.Queue()
        fakes: Any = {"reloader": self.reloader, "watch": self.watch}
        self.triggers = ReloadTriggers(
            **fakes, hangup=self.hangup, hung_up=lambda: self.hung_up, tell_admins=self.told.put
        )


@pytest.fixture
async def world() -> AsyncIterator[World]:
    """Triggers that are set."""
    made = World()
    with made.hangup:
        task = asyncio.create_task(made.triggers.run())
        yield made
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert made.reloader.closed


async def test_a_save_and_a_signal_reload(world: World) -> None:
    """Each once, and nobody is told anything where it went well."""
    await world.watch.saved.put(None)
    await world.reloader.done.wait()
    world.reloader.done.clear()
    signal.raise_signal(signal.SIGHUP)
    await world.reloader.done.wait()
    assert world.reloader.count == 2
    assert world.told.empty()


@pytest.mark.parametrize("error", [ConfigError("config.yaml:3:5: engine.n_ctx: must be more"), ConfigError("other")])
async def test_the_admins_are_told_what_is_wrong(
    world: World, caplog: pytest.LogCaptureFixture, error: ConfigError
) -> None:
    """With the line and the key, in the log too; the next save is tried again."""
    world.reloader.error = error
    await world.watch.saved.put(None)
    assert str(error) in await world.told.get()
    assert str(error) in caplog.text
    await world.watch.saved.put(None)
    await world.told.get()
    assert world.reloader.count == 2


async def test_an_unexpected_error_ends_nothing(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """It is a bug, so it has its trace in the log; the triggers stay set."""
    world.reloader.error = ZeroDivisionError()
    await world.watch.saved.put(None)
    await world.reloader.done.wait()
    world.reloader.done.clear()
    await world.watch.saved.put(None)
    await world.reloader.done.wait()
    assert "ZeroDivisionError" in caplog.text


async def test_a_terminal_that_is_gone_ends_the_daemon(world: World) -> None:
    """SIGHUP means that then, and the daemon ends as for SIGTERM."""
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, ended.set)
    world.hung_up = True
    signal.raise_signal(signal.SIGHUP)
    await ended.wait()
    loop.remove_signal_handler(signal.SIGTERM)
    assert world.reloader.count == 0
