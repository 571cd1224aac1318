"""What is made of the text that comes in."""

from hypothesis import given
from hypothesis import strategies as st

from bot.chat.message_text import clean_text


@given(st.text(st.characters()))
def test_a_clean_text_can_be_stored_and_tokenized(text: str) -> None:
    """It is UTF-8 without null characters, and cleaning it again changes nothing."""
    clean = clean_text(text)
    assert b"\0" not in clean.encode()
    assert clean_text(clean) == clean


def test_an_ordinary_text_stays_as_it_is() -> None:
    """Only the space around it goes."""
    assert clean_text(" Grüße 👋\n\n  zwei ") == "Grüße 👋\n\n  zwei"
