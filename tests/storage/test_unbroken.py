"""Work that was begun is finished, and a cancel is not lost for it."""

import asyncio

import pytest

from bot.storage.unbroken import unbroken


async def test_result_is_returned() -> None:
    """Without a cancel it is as if the work was awaited."""

    async def work() -> int:
        await asyncio.sleep(0)
        return 3

    assert await unbroken(work()) == 3


async def test_error_is_raised() -> None:
    """An error of the work comes out unchanged."""

    async def work() -> None:
        raise LookupError("gone")

    with pytest.raises(LookupError, match="gone"):
        await unbroken(work())


@pytest.mark.parametrize("fails", [False, True])
async def test_cancel_waits_for_the_end(fails: bool) -> None:
    """However often it is cancelled, the work ends first, and then the cancel takes effect, even over an error."""
    gate = asyncio.Event()
    ended = False

    async def work() -> None:
        nonlocal ended
        await gate.wait()
        ended = True
        if fails:
            raise LookupError("gone")

    task = asyncio.create_task(unbroken(work()))
    for _ in range(3):
        await asyncio.sleep(0)
        task.cancel()
    await asyncio.sleep(0)
    assert not task.done()
    gate.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended
