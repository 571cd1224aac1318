"""The machine's clock is set while the daemon runs."""

import os
from pathlib import Path

import pytest

from tests.faults.test_death import check
from tests.support.faulty_daemon import FaultyDaemon

_LIBRARIES = ("usr/lib/*/faketime/libfaketime.so.1", "usr/lib*/faketime/libfaketime.so.1")
QUOTA = 2


@pytest.fixture
def library() -> Path:
    """What gives one process a clock of its own."""
    found = next((each for pattern in _LIBRARIES for each in sorted(Path("/").glob(pattern))), None)
    if found is None:
        reason = "libfaketime is not installed (Debian: sudo apt install faketime), so no clock can be set"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return found


async def test_a_clock_that_jumps_ten_years_and_back_loses_nothing(
    daemon: FaultyDaemon, library: Path, tmp_path: Path
) -> None:
    """Nothing that is owed becomes too old, no old message is deleted, and a quota of the other time binds nobody."""
    date = tmp_path / "date"

    def set_clock(offset: str) -> None:
        date.with_suffix(".new").write_text(offset)
        date.with_suffix(".new").rename(date)

    set_clock("+0d")
    daemon.hearthbot.environment |= {
        "LD_PRELOAD": str(library),
        "FAKETIME_TIMESTAMP_FILE": str(date),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
    daemon.quotas, daemon.retention_days = f"{{messages_per_hour: {QUOTA}}}", "30"
    ben, server = daemon.server.private_chat("Ben"), daemon.server

    async def answered(topic: str) -> None:
        ben.say(f"Tell me about the {topic}.")
        await daemon.until(
            lambda: daemon.query("SELECT 1 FROM turns WHERE text LIKE ? AND status = 'done'", f"%{topic}%")
        )
        await daemon.until_settled()

    async with daemon.living() as process:
        ben.say("Tell me about the sea.")
        await server.until(lambda: server.messages(ben))
        server.cut()
        set_clock("+3650d")
        server.mend()
        await daemon.until_settled()
        for topic in ("wind", "rain"):
            await answered(topic)
        ben.say("Tell me about the snow.")
        await server.until(lambda: any("Please try again" in text for text in server.texts(ben)))
        await daemon.until_settled()
        set_clock("+0d")
        await answered("moon")
        set_clock("-3650d")
        await answered("star")
        assert process.poll() is None
    check(daemon, ben, 5)
