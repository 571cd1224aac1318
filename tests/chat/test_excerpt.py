"""The start of a text."""

from hypothesis import given
from hypothesis import strategies as st

from bot.chat.excerpt import excerpt


@given(st.text(max_size=600))
def test_an_excerpt_is_one_short_line(text: str) -> None:
    """Whatever the text; one that is short enough is all there."""
    short = excerpt(text)
    assert len(short) <= 80
    assert len(short.splitlines()) <= 1
    whole = " ".join(text.split())
    assert short == whole or (short.endswith("…") and whole.startswith(short[:-1]))
