import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.ops.service_manager import ServiceManager


@pytest.fixture
def listener(tmp_path: Path) -> Iterator[socket.socket]:
    """What systemd listens on."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as bound:
        bound.bind(str(tmp_path / "notify"))
        bound.settimeout(5)
        yield bound


@pytest.fixture
def manager(listener: socket.socket) -> ServiceManager:
    """The manager behind it."""
    return ServiceManager.of_process({"NOTIFY_SOCKET": listener.getsockname(), "WATCHDOG_USEC": "30000000"})


def test_each_notification_is_one_datagram(manager: ServiceManager, listener: socket.socket) -> None:
    """Ready, alive and stopping arrive word for word."""
    manager.ready()
    manager.alive()
    manager.stopping()
    assert [listener.recv(100) for _ in range(3)] == [b"READY=1", b"WATCHDOG=1", b"STOPPING=1"]


def test_a_reload_carries_the_time_it_began(manager: ServiceManager, listener: socket.socket) -> None:
    """Type=notify-reload tells this reload from an earlier one by it."""
    manager.reloading()
    first, second = listener.recv(200).decode().splitlines()
    assert first == "RELOADING=1"
    key, _, microseconds = second.partition("=")
    assert key == "MONOTONIC_USEC"
    assert int(microseconds) > 0


def test_a_status_is_one_line_and_sent_when_it_changes(manager: ServiceManager, listener: socket.socket) -> None:
    """A line end in it would begin another notification."""
    manager.status("serving:\nREADY=1")
    manager.status("serving: READY=1")
    manager.status("serving: 2 adapters")
    assert listener.recv(200) == b"STATUS=serving: READY=1"
    assert listener.recv(200) == b"STATUS=serving: 2 adapters"


def test_an_abstract_socket_is_reached() -> None:
    """Systemd in containers listens on one, written with @."""
    name = f"hearthbot-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as bound:
        bound.bind(f"\0{name}")
        bound.settimeout(5)
        ServiceManager.of_process({"NOTIFY_SOCKET": f"@{name}"}).ready()
        assert bound.recv(100) == b"READY=1"


@pytest.mark.parametrize("address", ["", "/nowhere/notify"])
def test_without_a_listener_nothing_happens(address: str) -> None:
    """The daemon also runs by hand, and outlives a manager that is gone."""
    manager = ServiceManager.of_process({"NOTIFY_SOCKET": address})
    manager.ready()
    manager.status("serving")


@pytest.mark.parametrize(
    ("environ", "seconds"),
    [
        ({"WATCHDOG_USEC": "30000000"}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({}, None),
    ],
)
def test_the_watchdog_is_the_one_meant_for_this_process(environ: dict[str, str], seconds: float | None) -> None:
    """A child inherits the environment, but is not watched."""
    assert ServiceManager.of_process({"NOTIFY_SOCKET": "/run/notify", **environ}).watchdog_s == seconds
