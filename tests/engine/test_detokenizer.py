"""Bytes to text, whole characters only."""

from hypothesis import given
from hypothesis import strategies as st

from bot.engine.detokenizer import Detokenizer


@given(st.text(), st.data())
def test_any_division_of_the_bytes_gives_the_text(text: str, data: st.DataObject) -> None:
    """A character spread over several tokens appears once, whole."""
    raw = text.encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(raw)))))
    detokenizer = Detokenizer()
    parts = [raw[start:end] for start, end in zip([0, *cuts], [*cuts, len(raw)], strict=True)]
    assert "".join(map(detokenizer.feed, parts)) + detokenizer.flush() == text


def test_an_unfinished_character_is_marked() -> None:
    """A reply cut inside a character ends with the replacement character."""
    detokenizer = Detokenizer()
    assert detokenizer.feed("é".encode()[:1]) == ""
    assert detokenizer.flush() == "\ufffd"
