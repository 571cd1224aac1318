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
