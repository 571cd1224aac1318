"""`hearthbot run`, with a clock that hurries while the file that is the argument says so: `seconds a_step`."""

import asyncio
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

from bot.cli.main import main

TICK_S = 0.05
order = Path(sys.argv.pop())
real_monotonic, real_gettime = time.monotonic, time.clock_gettime
ahead_s = 0.0


def hurried() -> float:
    """Seconds that nobody can set, but this program."""
    return real_monotonic() + ahead_s


def hurry(loop: asyncio.AbstractEventLoop) -> None:
    """Move on for what was ordered, step by step, so that everything which waits has its turn."""
    global ahead_s
    pause = threading.Event()
    while True:
        if order.exists():
            left_s, step_s = map(float, order.read_text().split())
            while left_s > 0:
                ahead_s, left_s = ahead_s + step_s, left_s - step_s
                with suppress(RuntimeError):  # it is closed at the end
                    loop.call_soon_threadsafe(lambda: None)
                pause.wait(TICK_S)
            order.unlink()
        pause.wait(TICK_S)


class HurriedLoop(asyncio.SelectorEventLoop):
    """An event loop whose timers go by that clock."""

    def time(self) -> float:
        """Seconds."""
        return hurried()


class HurriedPolicy(asyncio.DefaultEventLoopPolicy):
    """Makes them."""

    def new_event_loop(self) -> asyncio.AbstractEventLoop:
        """One for this thread, and somebody who looks for orders."""
        loop = HurriedLoop()
        threading.Thread(target=hurry, args=(loop,), daemon=True).start()
        return loop


time.monotonic = hurried
time.clock_gettime = lambda clock: real_gettime(clock) + ahead_s
asyncio.set_event_loop_policy(HurriedPolicy())
sys.argv.append("run")
main()
