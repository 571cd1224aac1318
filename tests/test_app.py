import asyncio
import logging
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import NoReturn

import pytest

from bot.adapter import Adapter, ChatCore, ReplyTarget
from bot.app import App, Backend
from bot.backoff import Backoff
from bot.errors import AdapterError, EngineLostError, ModelLoadError, PermanentAdapterError, RetryableAdapterError
from bot.messages import IncomingMessage, OutgoingMessage
from bot.settings import AdapterSettings
from tests.support.scripted_core import Answer, ScriptedCore


class ExitNowError(Exception):
    """The process would end here, with this code."""


class FakeBackend:
    """A started backend, whose engine is lost when the test says so."""

    def __init__(self, core: ScriptedCore) -> None:
        self.core = core
        self.lost = asyncio.Event()
        self.answered = asyncio.Event()

    async def drain(self, timeout_s: float) -> None:
        """Wait until the test says that everybody was answered, at most as long as that may take."""
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self.answered.wait()

    async def wait_lost(self) -> NoReturn:
        """Raise when the test says so."""
        await self.lost.wait()
        raise EngineLostError("the engine is lost")


class FakeAdapter(Adapter):
    """Sends one message at its start and then waits for the test."""

    def __init__(self, name: str, core: ChatCore, world: "World") -> None:
        super().__init__(name=name, settings=AdapterSettings(), core=core)
        self._world = world
        self._talk: asyncio.Task[None] | None = None
        self.left = asyncio.Event()
        self.failure: Exception | None = None
        self.sent: list[str] = []

    async def start(self) -> None:
        """Fail, or send a message."""
        self._world.log.append(f"start {self.name}")
        if (error := self._world.start_errors.get(self.name)) is not None:
            raise error
        message = IncomingMessage(adapter=self.name, chat="1", user="1", message_id="1", text="hi")
        self._talk = asyncio.create_task(self.core.handle(message, _Target(self.sent)))
        self._world.up[self.name].set()

    async def wait(self) -> None:
        """End when the test says so."""
        await self.left.wait()
        if self.failure is not None:
            raise self.failure

    async def drain(self) -> None:
        """Note it."""
        self._world.log.append(f"drain {self.name}")
        self._world.draining.set()
        if self.name in self._world.bad_drains:
            raise ZeroDivisionError

    async def aclose(self) -> None:
        """Note it and cancel the message."""
        self._world.log.append(f"close {self.name}")
        if self._talk is not None:
            self._talk.cancel()
            await asyncio.gather(self._talk, return_exceptions=True)


class _Target:
    def __init__(self, sent: list[str]) -> None:
        self._sent = sent

    async def send(self, message: OutgoingMessage) -> str:
        self._sent.append(message.text)
        return "1"


class World:
    """An `App` on fakes, and what happened to them in order."""

    def __init__(self, *names: str, answer: Answer | None = None, shutdown_timeout_s: float = 60.0) -> None:
        self.log: list[str] = []
        self.notices: list[str] = []
        self.start_errors: dict[str, Exception] = {}
        self.bad_drains: set[str] = set()
        self.draining, self.noticed = asyncio.Event(), asyncio.Event()
        self.up = {name: asyncio.Event() for name in names}
        self.adapters: dict[str, FakeAdapter] = {}
        self.core = ScriptedCore(*([answer] * len(names) if answer else []))
        self.backend = FakeBackend(self.core)
        self.opening: Callable[[], Awaitable[None]] | None = None
        self.app = App(
            open_backend=self._open,
            adapters={name: lambda core, name=name: self._adapter(name, core) for name in names},
            shutdown_timeout_s=lambda: shutdown_timeout_s,
            notify=self._notify,
            backoff=Backoff(first_s=0.0),
            exit_now=self._exit_now,
        )

    async def run_until_up(self) -> asyncio.Task[None]:
        """Start, and return when every adapter is up."""
        running = asyncio.create_task(self.app.run())
        for event in self.up.values():
            await event.wait()
        return running

    @asynccontextmanager
    async def _open(self) -> AsyncIterator[Backend]:
        self.log.append("open backend")
        if self.opening is not None:
            await self.opening()
        try:
            yield self.backend
        finally:
            self.log.append("close backend")

    def _notify(self, text: str) -> None:
        self.notices.append(text)
        self.noticed.set()

    def _adapter(self, name: str, core: ChatCore) -> FakeAdapter:
        self.adapters[name] = FakeAdapter(name, core, self)
        return self.adapters[name]

    @staticmethod
    def _exit_now(code: int) -> NoReturn:
        raise ExitNowError(code)


async def test_everything_closes_in_reverse_order() -> None:
    """The backend opens before the adapters start and closes after they are closed."""
    world = World("console")
    running = await world.run_until_up()
    world.adapters["console"].left.set()
    await running
    assert world.log == ["open backend", "start console", "close console", "close backend"]


async def test_one_adapter_failing_for_good_leaves_the_others_alone(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reason is logged at once; the daemon goes on until the last adapter has ended, and says it again then."""
    world = World("telegram", "console")
    world.start_errors["telegram"] = PermanentAdapterError("the token is wrong")
    world.up.pop("telegram")
    reported = asyncio.Event()

    class Reported(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            reported.set()

    monkeypatch.setattr(logging.getLogger("bot.fleet"), "handlers", [Reported(logging.ERROR)])
    running = await world.run_until_up()
    await reported.wait()
    assert "telegram stopped: the token is wrong" in caplog.text
    assert not running.done()
    world.adapters["console"].left.set()
    with pytest.raises(AdapterError, match="telegram: the token is wrong"):
        await running


async def test_an_adapter_that_is_lost_comes_back() -> None:
    """A lost connection is replaced by a new adapter while the daemon runs."""
    world = World("telegram")
    running = await world.run_until_up()
    first = world.adapters["telegram"]
    world.up["telegram"].clear()
    first.failure = RetryableAdapterError("connection lost")
    first.left.set()
    await world.up["telegram"].wait()
    assert world.adapters["telegram"] is not first
    world.adapters["telegram"].left.set()
    await running


async def test_leaving_the_console_does_not_end_the_daemon_while_others_run() -> None:
    """The person is told how to stop what goes on."""
    world = World("console", "telegram")
    running = await world.run_until_up()
    world.adapters["console"].left.set()
    await world.noticed.wait()
    assert world.notices == ["console was left; the daemon goes on with telegram. Ctrl-C stops it."]
    assert not running.done()
    world.adapters["telegram"].left.set()
    await running


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_lets_the_reply_under_way_finish(number: signal.Signals) -> None:
    """Intake stops first, the answer is sent, then everything closes; a clean stop is no error."""
    go_on = asyncio.Event()

    async def slow(message: IncomingMessage, target: ReplyTarget) -> None:
        await go_on.wait()
        await target.send(OutgoingMessage(text="finished"))
        world.backend.answered.set()

    world = World("telegram", answer=slow)
    running = await world.run_until_up()
    await world.core.arrived.wait()
    signal.raise_signal(number)
    await world.draining.wait()
    assert "close telegram" not in world.log
    go_on.set()
    await running
    assert world.adapters["telegram"].sent == ["finished"]
    assert world.log[-3:] == ["drain telegram", "close telegram", "close backend"]


async def test_a_reply_that_does_not_finish_in_time_is_cancelled() -> None:
    """After `shutdown_timeout` the daemon stops all the same."""
    cancelled = asyncio.Event()

    async def endless(message: IncomingMessage, target: ReplyTarget) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    world = World("telegram", answer=endless, shutdown_timeout_s=0.0)
    running = await world.run_until_up()
    await world.core.arrived.wait()
    signal.raise_signal(signal.SIGTERM)
    await running
    assert cancelled.is_set()
    assert world.log[-1] == "close backend"


async def test_a_second_signal_stops_now() -> None:
    """Nobody is waited for, connections are still given back, and the exit code names the signal."""

    async def endless(message: IncomingMessage, target: ReplyTarget) -> None:
        await asyncio.Event().wait()

    world = World("telegram", answer=endless)
    running = await world.run_until_up()
    signal.raise_signal(signal.SIGINT)
    await world.draining.wait()
    signal.raise_signal(signal.SIGINT)
    with pytest.raises(ExitNowError, match="130"):
        await running
    assert world.log[-2:] == ["close telegram", "close backend"]


async def test_a_drain_that_fails_keeps_nobody_from_stopping() -> None:
    """What an adapter raises while it stops is logged, and the others finish."""
    world = World("bad", "good")
    world.bad_drains.add("bad")
    world.backend.answered.set()
    running = await world.run_until_up()
    signal.raise_signal(signal.SIGTERM)
    await running
    assert {"close bad", "close good"} <= set(world.log)


async def test_a_lost_engine_ends_the_daemon_with_its_own_error() -> None:
    """Whoever waits is told before the connections close, and the error carries the exit code for the supervisor."""
    world = World("telegram")

    async def fails_when_lost(message: IncomingMessage, target: ReplyTarget) -> None:
        await world.backend.lost.wait()
        await target.send(OutgoingMessage(text=EngineLostError.user_text, error=EngineLostError.code))
        world.backend.answered.set()

    world.core.answers.append(fails_when_lost)
    running = await world.run_until_up()
    await world.core.arrived.wait()
    world.backend.lost.set()
    with pytest.raises(EngineLostError):
        await running
    assert world.adapters["telegram"].sent == [EngineLostError.user_text]
    assert world.log[-2:] == ["close telegram", "close backend"]


async def test_a_signal_while_the_model_loads_ends_the_start() -> None:
    """What was opened is closed, no adapter starts, and the exit code names the signal."""
    world = World("telegram")
    world.up.clear()
    loading = asyncio.Event()

    async def load() -> None:
        loading.set()
        await asyncio.Event().wait()

    world.opening = load
    running = asyncio.create_task(world.app.run())
    await loading.wait()
    signal.raise_signal(signal.SIGINT)
    with pytest.raises(ExitNowError, match="130"):
        await running
    assert world.log == ["open backend"]


async def test_what_the_start_raises_comes_out() -> None:
    """A model that cannot be loaded ends the daemon with its own error before any adapter starts."""
    world = World("telegram")

    async def fail() -> None:
        raise ModelLoadError("no such file")

    world.opening = fail
    with pytest.raises(ModelLoadError, match="no such file"):
        await world.app.run()
    assert world.log == ["open backend"]
