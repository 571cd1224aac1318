"""One thread owns the context."""

import threading

import pytest

from bot.engine.lock import InferenceLock


def idle() -> bool:
    """No work."""
    return False


def test_commands_run_in_order_on_one_thread() -> None:
    """Posted commands run one after another, all on the thread that holds the lock."""
    lost: list[BaseException] = []
    lock = InferenceLock(step=idle, on_lost=lost.append)
    lock.start()
    seen: list[tuple[int, bool]] = []
    for number in range(50):
        lock.post(lambda number=number: seen.append((number, lock.held())))  # type: ignore[misc]
    assert lock.call(threading.get_ident).result(timeout=10) != threading.get_ident()
    lock.close()
    assert seen == [(number, True) for number in range(50)]
    assert not lock.held()
    assert lost == []


def test_steps_go_on_while_there_is_work() -> None:
    """`step` is called again and again until it has nothing to do, and then not until something is posted."""
    left = [3]
    stepped = threading.Semaphore(0)

    def step() -> bool:
        stepped.release()
        left[0] -= 1
        return left[0] > 0

    lock = InferenceLock(step=step, on_lost=lambda _: None)
    lock.start()
    lock.post(lambda: None)
    for _ in range(3):
        assert stepped.acquire(timeout=10)
    assert lock.call(lambda: left[0]).result(timeout=10) == 0
    lock.close()


def test_a_failed_call_is_the_callers() -> None:
    """An exception in `call` goes to its future, and the thread goes on."""
    lock = InferenceLock(step=idle, on_lost=lambda _: None)
    lock.start()

    def fail() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        lock.call(fail).result(timeout=10)
    assert lock.call(lambda: 1).result(timeout=10) == 1
    lock.close()


def test_a_failed_step_loses_the_engine_once() -> None:
    """When a step fails the owner is told why, and the thread ends."""

    def step() -> bool:
        raise RuntimeError("dead")

    lost: list[BaseException] = []
    lock = InferenceLock(step=step, on_lost=lost.append)
    lock.start()
    lock.post(lambda: None)
    lock.close()
    assert [str(error) for error in lost] == ["dead"]


def test_a_thread_that_hangs_shows() -> None:
    """The seconds spent in one step are told from outside while it lasts, and an idle thread has spent none."""
    now, entered, release = [100.0], threading.Event(), threading.Event()

    def step() -> bool:
        entered.set()
        release.wait(timeout=10)
        return False

    lock = InferenceLock(step=step, on_lost=lambda _: None, clock=lambda: now[0])
    lock.start()
    assert lock.busy_s() == 0
    lock.post(lambda: None)
    assert entered.wait(timeout=10)
    now[0] += 77
    assert lock.busy_s() == 77
    release.set()
    lock.call(lambda: None).result(timeout=10)
    lock.close()


def test_every_step_is_a_beat() -> None:
    """Long work in many steps is not taken for a thread that hangs."""
    now, left = [100.0], [5]
    seen: list[float] = []

    def step() -> bool:
        seen.append(lock.busy_s())
        now[0] += 10
        left[0] -= 1
        return left[0] > 0

    lock = InferenceLock(step=step, on_lost=lambda _: None, clock=lambda: now[0])
    lock.start()
    lock.post(lambda: None)
    lock.call(lambda: None).result(timeout=10)
    lock.close()
    assert set(seen) == {0.0}
