"""The estimate of the wait follows what was measured."""

from hypothesis import given
from hypothesis import strategies as st

from bot.engine.wait_estimate import WaitEstimate

COUNTS = st.integers(0, 5000)


def measured() -> WaitEstimate:
    """Replies of 100 tokens, a tenth of a second each token."""
    estimate = WaitEstimate()
    for _ in range(100):
        estimate.finished(completion_tokens=100, decode_s=9.9)
    return estimate


def test_nothing_is_promised_before_anything_is_measured() -> None:
    """Without rates there is no estimate."""
    assert WaitEstimate().waits([(0, 0, 10)], [(5, 5)], free=0, prefill_tokens_per_s=None) == [None]


def test_the_second_waits_for_two_replies() -> None:
    """With one sequence half way through a reply of 100 tokens, the next waits 5 s, the one after also for that one."""
    waits = measured().waits([(0, 50, 100)], [(100, 100), (0, 100)], free=0, prefill_tokens_per_s=100.0)
    assert [round(wait or 0) for wait in waits] == [5, 16]


def test_short_replies_are_known_to_be_short() -> None:
    """A request that may write only ten tokens is not counted as a hundred."""
    waits = measured().waits([(0, 0, 10)], [(0, 10)], free=0, prefill_tokens_per_s=100.0)
    assert [round(wait or 0) for wait in waits] == [1]


@given(
    st.lists(st.tuples(COUNTS, COUNTS, COUNTS), max_size=8),
    st.lists(st.tuples(COUNTS, COUNTS), max_size=20),
    st.integers(0, 4),
)
def test_waits_are_never_negative_and_never_shrink_down_the_line(
    running: list[tuple[int, int, int]], waiting: list[tuple[int, int]], free: int
) -> None:
    """Whoever is later in the line is not promised an earlier turn."""
    waits = [wait or 0 for wait in measured().waits(running, waiting, free=free, prefill_tokens_per_s=100.0)]
    assert len(waits) == len(waiting)
    assert waits == sorted(waits)
    assert all(wait >= 0 for wait in waits)
