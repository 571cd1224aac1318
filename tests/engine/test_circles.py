"""Strings that go round in circles."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.engine.circles import goes_round


@pytest.mark.parametrize(
    "string",
    [
        "1" * 24,
        "Otto   ",
        "from 2.345,60,17.01.2024," + "2.345,60,17.01.2024," * 3,
        "\\n" * 12,
        "家长会" * 3,
    ],
)
def test_circles(string: str) -> None:
    """Repetitions of anything, at any place behind a beginning; where the source has them, they are copied."""
    assert goes_round(string.encode(), b'"some other text"')
    assert not goes_round(string.encode(), f'"so: {string} and so on"'.encode())


@pytest.mark.parametrize("string", ["", "a", "ha ha ha ha", "1" * 23, "Otto  ", "to be or not to be, or not to be"])
def test_no_circles(string: str) -> None:
    """A little repetition is nothing out of the ordinary."""
    assert not goes_round(string.encode(), b"")


@given(beginning=st.binary(max_size=40), period=st.binary(min_size=1, max_size=64))
def test_every_circle_is_noticed(beginning: bytes, period: bytes) -> None:
    """However long the period is, up to the longest that is looked for."""
    assert goes_round(beginning + period * max(3, -(-24 // len(period))), b"")
