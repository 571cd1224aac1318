import asyncio
from collections.abc import Awaitable, Callable
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from bot.adapter import Adapter
from bot.backoff import Backoff
from bot.errors import PermanentAdapterError, RetryableAdapterError
from bot.settings import AdapterSettings
from bot.supervisor import Supervisor
from tests.support.scripted_core import ScriptedCore

Step = Callable[[], Awaitable[None]]


async def fine() -> None:
    """Succeed."""


async def for_ever() -> None:
    """Stay up."""
    await asyncio.Event().wait()


def failing(error: Exception) -> Step:
    """Return a step that raises."""

    async def step() -> None:
        raise error

    return step


class FakeTime:
    """A clock that moves only when somebody sleeps or says so."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def clock(self) -> float:
        """The seconds that have passed."""
        return self.now

    async def sleep(self, seconds: float) -> None:
        """Let the time pass."""
        self.slept.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)


class FakeAdapter(Adapter):
    """Plays one `start` and one `wait`, and notes its life."""

    def __init__(self, start: Step, wait: Step) -> None:
        super().__init__(name="fake", settings=AdapterSettings(), core=ScriptedCore())
        self._start, self._wait = start, wait
        self.up = asyncio.Event()
        self.drained = asyncio.Event()
        self.closed = False

    async def start(self) -> None:
        """Play the start."""
        await self._start()
        self.up.set()

    async def wait(self) -> None:
        """Play the rest of its life."""
        await self._wait()

    async def drain(self) -> None:
        """Note it."""
        self.drained.set()

    async def aclose(self) -> None:
        """Note it."""
        self.closed = True


def supervisor(
    *adapters: FakeAdapter, time: FakeTime, backoff: Backoff | None = None, core: ScriptedCore | None = None
) -> Supervisor:
    """Return a supervisor that is given these adapters one after another."""
    queue = iter(adapters)
    return Supervisor(
        "fake",
        lambda: next(queue),
        core=core or ScriptedCore(),
        backoff=backoff or Backoff(first_s=1.0, longest_s=8.0, stable_s=60.0),
        sleep=time.sleep,
        clock=time.clock,
        random=Random(1),  # noqa: S311 - repeatable, not secret
    )


async def test_a_permanent_failure_is_not_tried_again() -> None:
    """The reason is kept, and the adapter is closed."""
    time = FakeTime()
    adapter = FakeAdapter(failing(PermanentAdapterError("the token is wrong; set adapters.fake.token")), fine)
    core = ScriptedCore()
    supervised = supervisor(adapter, time=time, core=core)
    await supervised.run()
    assert supervised.failure == "the token is wrong; set adapters.fake.token"
    assert core.phases == [("fake", "stopped", "the token is wrong; set adapters.fake.token")]
    assert adapter.closed
    assert time.slept == []


async def test_failures_that_may_pass_are_tried_again_more_and_more_slowly() -> None:
    """Each attempt has a fresh adapter, the delays double up to the cap, and an unexpected failure counts too."""
    time = FakeTime()
    failed = [FakeAdapter(failing(RetryableAdapterError("no network")), fine) for _ in range(4)]
    failed.append(FakeAdapter(fine, failing(ZeroDivisionError())))
    last = FakeAdapter(fine, fine)
    core = ScriptedCore()
    supervised = supervisor(*failed, last, time=time, core=core)
    await supervised.run()
    assert core.phases == [
        *[("fake", "retrying", "no network")] * 4,
        ("fake", "left", ""),
        ("fake", "retrying", "failed unexpectedly (ZeroDivisionError)"),
        ("fake", "left", ""),
    ]
    assert supervised.failure is None
    assert all(adapter.closed for adapter in (*failed, last))
    assert [0.5 <= slept / full <= 1 for slept, full in zip(time.slept, (1, 2, 4, 8, 8), strict=True)] == [True] * 5


async def test_the_delay_starts_again_after_a_stable_time() -> None:
    """An adapter that ran for long and is then lost is not punished for what failed days before."""
    time = FakeTime()

    async def lost_after_an_hour() -> None:
        time.now += 3600
        raise RetryableAdapterError("connection lost")

    adapters = [FakeAdapter(failing(RetryableAdapterError("no network")), fine) for _ in range(3)]
    await supervisor(*adapters, FakeAdapter(fine, lost_after_an_hour), FakeAdapter(fine, fine), time=time).run()
    assert time.slept[2] >= 2
    assert time.slept[3] <= 1


async def test_an_adapter_that_is_drained_is_not_started_again() -> None:
    """What breaks while the daemon stops stays down."""
    time = FakeTime()
    adapter = FakeAdapter(fine, fine)

    async def lost_while_draining() -> None:
        await adapter.drained.wait()
        raise RetryableAdapterError("connection lost")

    adapter._wait = lost_while_draining
    supervised = supervisor(adapter, time=time)
    running = asyncio.create_task(supervised.run())
    await adapter.up.wait()
    await asyncio.sleep(0)
    await supervised.drain()
    await running
    assert adapter.closed
    assert time.slept == []


async def test_an_adapter_that_comes_up_during_a_drain_is_closed_at_once() -> None:
    """No message is taken in after the stop has begun."""
    connecting, go_on = asyncio.Event(), asyncio.Event()

    async def slow_start() -> None:
        connecting.set()
        await go_on.wait()

    adapter = FakeAdapter(slow_start, for_ever)
    supervised = supervisor(adapter, time=FakeTime())
    running = asyncio.create_task(supervised.run())
    await connecting.wait()
    await supervised.drain()
    go_on.set()
    await running
    assert adapter.closed


async def test_a_cancelled_supervisor_closes_its_adapter() -> None:
    """Stopping at once still gives the connection back."""
    adapter = FakeAdapter(fine, for_ever)
    running = asyncio.create_task(supervisor(adapter, time=FakeTime()).run())
    await adapter.up.wait()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert adapter.closed


@given(failures=st.integers(1, 10_000), seed=st.integers())
def test_delays_stay_between_half_and_all_of_the_capped_exponential(failures: int, seed: int) -> None:
    """However often something failed, the delay is positive and never above the cap."""
    backoff = Backoff(first_s=1.0, longest_s=300.0)
    full = min(300.0, 2.0 ** min(failures - 1, 64))
    assert full / 2 <= backoff.delay_s(failures, Random(seed)) <= full  # noqa: S311 - repeatable, not secret
