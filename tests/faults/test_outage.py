"""The network is gone."""

import sys
from pathlib import Path

from tests.faults.test_death import check
from tests.support.faulty_daemon import FaultyDaemon

HURRIED = Path(__file__).with_name("hurried_daemon.py")
TEN_MINUTES_S = 600


async def test_ten_minutes_without_a_network_lose_nothing(daemon: FaultyDaemon, tmp_path: Path) -> None:
    """A reply under way is delivered after them, what was written meanwhile is answered, and the admin is told once."""
    order = tmp_path / "hurry"
    daemon.program = (sys.executable, str(HURRIED), str(order))
    ben, server = daemon.server.private_chat("Ben"), daemon.server
    async with daemon.living() as process:
        daemon.ann.say("/help")
        await server.until(lambda: server.texts(daemon.ann))
        await daemon.until_settled()
        ben.say("Tell me about the sea.")
        await server.until(lambda: server.messages(ben))
        server.cut()
        ben.say("Tell me about the wind.")

        async def hurry(seconds: float, *, step_s: float) -> None:
            order.with_suffix(".new").write_text(f"{seconds} {step_s}")
            order.with_suffix(".new").rename(order)
            await daemon.until(lambda: not order.exists())

        await hurry(TEN_MINUTES_S, step_s=10)
        server.mend()
        # The next attempts may be minutes away, and requests must not seem to take minutes.
        while not _is_over(daemon):
            await hurry(10, step_s=1)
        assert process.poll() is None
    check(daemon, ben, 2)
    assert sum("is not connected" in text for text in server.texts(daemon.ann)) == 1


def _is_over(daemon: FaultyDaemon) -> bool:
    """Whether everything is answered, and the admin was told."""
    answered = daemon.query("SELECT 1 FROM turns WHERE text LIKE '%wind%' AND status = 'done'")
    owed = daemon.query("SELECT 1 FROM answers WHERE state NOT IN ('delivered', 'dropped')")
    told = any("is back" in text for text in daemon.server.texts(daemon.ann))
    return bool(answered and not owed and told)
