"""What is guessed from a text that a reply copies."""

from hypothesis import given
from hypothesis import strategies as st

from bot.engine.prompt_lookup import PromptLookup

SOURCE = b"Jason Miller is 25 years old. Maria Miller lives in Lisbon."


def letters(text: bytes) -> list[int]:
    """A tokenizer whose tokens are bytes."""
    return list(text)


def proposed(lookup: PromptLookup, reply: bytes, most: int = 8) -> bytes:
    """The guess as text."""
    return bytes(lookup.propose(most)) if lookup.look_up(reply) else b""


def test_the_longest_match_decides() -> None:
    """Of two places with the same word the one that agrees further back is continued."""
    lookup = PromptLookup(SOURCE, letters)
    assert SOURCE[SOURCE.index(b" is") :].startswith(proposed(lookup, b'{"name":"Jason Miller'))
    assert SOURCE[SOURCE.index(b" lives") :].startswith(proposed(lookup, b'{"name":"Maria Miller'))
    assert proposed(lookup, b"Jason") != b""


def test_nothing_is_guessed_without_evidence() -> None:
    """An end that is not in the text, or is too short to say anything, gives no guess."""
    lookup = PromptLookup(SOURCE, letters)
    assert proposed(lookup, b"Peter") == b""
    assert proposed(lookup, b"on") == b""
    assert proposed(PromptLookup(b"", letters), b"Jason") == b""


def test_more_evidence_allows_more() -> None:
    """A guess is at most as long as what speaks for it, and never longer than the limit."""
    lookup = PromptLookup(SOURCE * 2, letters)
    sizes = {}
    for length in (4, 9, 15, 40):
        matched = lookup.look_up(SOURCE[:length])
        sizes[matched] = len(lookup.propose(8))
    assert sizes == {4: 1, 9: 3, 15: 5, 40: 8}


@given(source=st.binary(max_size=60), reply=st.binary(max_size=40), most=st.integers(1, 8))
def test_a_guess_is_what_stands_behind_the_match(source: bytes, reply: bytes, most: int) -> None:
    """Whatever the texts: a guess continues the source behind an end of the reply, and is never too long."""
    guess = proposed(PromptLookup(source, letters), reply, most)
    assert len(guess) <= most
    assert not guess or reply[-4:] + guess in source


@given(source=st.text("ab", min_size=1, max_size=30), start=st.integers(0, 20))
def test_a_copy_is_foreseen(source: str, start: int) -> None:
    """What was copied from the text for a while is continued by the text, unless it ends there or repeats itself."""
    text = source.encode()
    reply = text[: start + 5]
    guess = proposed(PromptLookup(text, letters), reply)
    assert guess or len(reply) >= len(text) or len(reply) < 4
