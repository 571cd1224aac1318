import signal
import socket
from collections.abc import Callable
from pathlib import Path

from tests.support.hearthbot_process import Hearthbot

CONFIGURATION = """
engine: {n_ctx: 1024, max_parallel: 1, n_threads: 1, tune: off, prewarm: false}
adapters:
  web: {port: 0}
"""


class Manager:
    """Listens as systemd does."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.said: list[str] = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self._socket.settimeout(120)

    def until(self, told: Callable[[str], bool]) -> None:
        """Return when a notification fits; raises `TimeoutError` when none comes for two minutes."""
        while True:
            message = self._socket.recv(1000).decode()
            self.said.append(message)
            if told(message):
                return

    def close(self) -> None:
        """Listen no more."""
        self._socket.close()


def test_the_service_manager_is_told_of_a_whole_life(hearthbot: Hearthbot, tmp_path: Path) -> None:
    """Ready once it answers, alive while it does, what it does, each reload from its begin to its end, and the stop."""
    hearthbot.configure(CONFIGURATION)
    manager = Manager(tmp_path / "notify")
    hearthbot.environment |= {"NOTIFY_SOCKET": str(manager.path), "WATCHDOG_USEC": "3000000"}
    process = hearthbot.start("run")
    try:
        manager.until(lambda said: said == "READY=1")
        assert "WATCHDOG=1" not in manager.said
        manager.until(lambda said: said == "WATCHDOG=1")
        manager.until(lambda said: said.startswith("STATUS=serving: web; 0 being answered, 0 waiting"))
        process.send_signal(signal.SIGHUP)
        manager.until(lambda said: said.startswith("RELOADING=1\nMONOTONIC_USEC="))
        manager.until(lambda said: said == "READY=1")
        process.send_signal(signal.SIGTERM)
        manager.until(lambda said: said == "STOPPING=1")
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.communicate()
        manager.close()
