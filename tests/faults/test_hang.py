"""A step of the model that never ends."""

import signal
import socket
import sys
from pathlib import Path

from tests.faults.test_death import check
from tests.support.faulty_daemon import FaultyDaemon

HANGING = Path(__file__).with_name("hanging_daemon.py")


async def test_a_hung_decode_starves_the_watchdog_and_is_answered_after_the_restart(
    daemon: FaultyDaemon, tmp_path: Path
) -> None:
    """The daemon stops feeding and says why; ended as systemd ends it, it answers in its next life."""
    hang = tmp_path / "hang"
    daemon.program = (sys.executable, str(HANGING), str(hang))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(60)
        daemon.hearthbot.environment |= {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "1000000"}
        async with daemon.living() as process:
            hang.touch()
            daemon.ann.say("Tell me about the sea.")
            await daemon.until(lambda: "has not moved" in daemon.said)
            manager.setblocking(False)
            said = _said(manager)
            assert b"WATCHDOG=1" in said
            await daemon.until(lambda: b"being answered" in b"".join(_said(manager)) or process.poll() is None)
            assert b"WATCHDOG=1" not in _said(manager)
            process.send_signal(signal.SIGABRT)
            process.wait()
    hang.unlink()
    for name in ("NOTIFY_SOCKET", "WATCHDOG_USEC"):
        del daemon.hearthbot.environment[name]
    async with daemon.living():
        await daemon.until_settled()
    check(daemon, daemon.ann, 1)


def _said(manager: socket.socket) -> list[bytes]:
    """What has come since it was asked last."""
    said = []
    while True:
        try:
            said.append(manager.recv(1000))
        except BlockingIOError:
            return said
