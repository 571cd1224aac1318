"""What the daemon tells the service manager that started it: ready, reloading, stopping, alive, and what it does."""

import logging
import os
import socket
import time
from collections.abc import Mapping
from typing import Self

log = logging.getLogger(__name__)


class ServiceManager:
    """Sends systemd's notifications; where nobody listens, nothing happens.

    The protocol: https://www.freedesktop.org/software/systemd/man/latest/sd_notify.html
    """

    def __init__(self, address: str | None, *, watchdog_s: float | None) -> None:
        """`address` is a datagram socket, a path or `@` and an abstract name; None for no manager."""
        self._address = address
        self.watchdog_s = watchdog_s
        """Seconds within which `alive` must be called again; None where nobody watches."""
        self._status = ""

    @classmethod
    def of_process(cls, environ: Mapping[str, str] = os.environ) -> Self:
        """The manager that this process was started by."""
        address = environ.get("NOTIFY_SOCKET") or None
        watched = environ.get("WATCHDOG_USEC", "")
        meant_for = environ.get("WATCHDOG_PID", "")
        mine = not meant_for or meant_for == str(os.getpid())
        usable = address is not None and mine and watched.isdigit() and int(watched) > 0
        return cls(address, watchdog_s=int(watched) / 1e6 if usable else None)

    def ready(self) -> None:
        """Everything is up, or a reload is complete."""
        self._send("READY=1")

    def reloading(self) -> None:
        """The configuration is being read again; `ready` says when that is over."""
        # The time is what Type=notify-reload tells this reload from an earlier one by.
        self._send(f"RELOADING=1\nMONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}")

    def stopping(self) -> None:
        """The end has begun."""
        self._send("STOPPING=1")

    def status(self, text: str) -> None:
        """What it does, in a line for `systemctl status`; sent when it has changed."""
        line = " ".join(text.split())
        if line != self._status:
            self._status = line
            self._send(f"STATUS={line}")

    def alive(self) -> None:
        """Feed the watchdog."""
        self._send("WATCHDOG=1")

    def _send(self, message: str) -> None:
        if self._address is None:
            return
        address = f"\0{self._address[1:]}" if self._address.startswith("@") else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
                sender.setblocking(False)  # a manager that does not read must not hold the daemon up
                sender.sendto(message.encode(), address)
        except OSError as error:
            log.debug("the service manager was not reached: %s", error)
