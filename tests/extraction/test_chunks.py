"""Long texts cut into parts."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from bot.extraction.chunks import chunks, sentences


def test_cuts_stand_between_sentences() -> None:
    """Also in Chinese, and at the ends of lines; not behind an abbreviation that goes on in small letters."""
    assert sentences("One. Two! Three? no") == ["One. ", "Two! ", "Three? no"]
    assert sentences("一。二！三") == ["一。", "二！", "三"]
    assert sentences("about approx. five\n- item") == ["about approx. five\n", "- item"]


def test_parts_overlap() -> None:
    """A part begins with the last sentences of the one before."""
    text = " ".join(f"Sentence number {number:03}." for number in range(100))
    parts = chunks(text, 400)
    for one, other in pairwise(parts):
        assert other.startswith(one[-21:].lstrip())


@given(st.text(alphabet="ab .\n。A", max_size=300), st.integers(1, 40))
def test_nothing_is_lost_and_no_part_is_too_long(text: str, longest: int) -> None:
    """Every sentence is whole in some part, or was longer than a part may be."""
    parts = chunks(text, longest)
    assert all(len(part) <= longest for part in parts)
    for sentence in sentences(text):
        if sentence.strip() and len(sentence) <= longest:
            assert any(sentence in part for part in parts)
