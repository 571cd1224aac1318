"""A clock that a test moves."""

import asyncio

_REST_S = 0.02


class FakeClock:
    """Stands still until it is told to go on."""

    def __init__(self) -> None:
        self._now = 1000.0
        self.hurried = False
        """Moves on by itself while somebody sleeps."""
        self._ticking: asyncio.TimerHandle | None = None
        self._sleepers: list[tuple[float, asyncio.Future[None]]] = []
        self._changed = asyncio.Condition()

    def now(self) -> float:
        """Seconds."""
        return self._now

    def wall_ms(self) -> int:
        """Milliseconds, from some day in 2027 on."""
        return 1_800_000_000_000 + int(self._now * 1000)

    @property
    def sleepers(self) -> int:
        """How many sleep now."""
        return sum(not future.done() for _, future in self._sleepers)

    async def sleep(self, seconds: float) -> None:
        """Return when the clock was moved that far."""
        future = asyncio.get_running_loop().create_future()
        self._sleepers.append((self._now + seconds, future))
        if self.hurried:
            self._hurry()
        async with self._changed:
            self._changed.notify_all()
        await future

    async def asleep(self, count: int) -> None:
        """Return when `count` sleep."""
        async with self._changed:
            await self._changed.wait_for(lambda: self.sleepers >= count)

    async def asleep_for(self, seconds: float) -> None:
        """Return when somebody sleeps who will wake so many seconds from now."""
        until = self._now + seconds
        async with self._changed:
            await self._changed.wait_for(
                lambda: any(abs(wakes - until) < 1e-6 and not future.done() for wakes, future in self._sleepers)
            )

    def advance(self, seconds: float) -> None:
        """Move on, and wake whoever slept until then."""
        self._now += seconds
        for until, future in self._sleepers:
            if until <= self._now and not future.done():
                future.set_result(None)
        self._sleepers = [sleeper for sleeper in self._sleepers if not sleeper[1].done()]

    def _hurry(self) -> None:
        """Wake the next sleeper once nothing else has run for a moment of real time."""
        if self._ticking is None and self._sleepers:
            loop = asyncio.get_running_loop()
            self._ticking = loop.call_later(_REST_S, self._tick, loop.time() + _REST_S)

    def _tick(self, due: float) -> None:
        """Not when the loop comes late, because it has work without that.

        Whoever is woken again and again would keep the interpreter's lock, and the database's thread stands still.
        """
        self._ticking = None
        rested = asyncio.get_running_loop().time() - due < _REST_S
        if rested and self._sleepers:
            self.advance(max(0.0, min(until for until, _ in self._sleepers) - self._now))
        self._hurry()
