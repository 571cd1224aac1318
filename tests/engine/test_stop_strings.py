"""The search for stop strings."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.engine.stop_strings import StopStrings
from bot.errors import InvalidRequestError

few_letters = st.text("ab", max_size=30)
stop_lists = st.lists(st.text("ab", min_size=1, max_size=5), max_size=4)


def naive(stops: list[str], text: str) -> tuple[str, bool]:
    """The same by trying every stop string at every place."""
    for end in range(1, len(text) + 1):
        found = [len(stop) for stop in stops if text[:end].endswith(stop)]
        if found:
            return text[: end - max(found)], True
    return text, False


def streamed(stops: list[str], pieces: list[str]) -> tuple[str, bool]:
    """Feed pieces and flush."""
    search = StopStrings(stops)
    shown = "".join(search.feed(piece)[0] for piece in pieces)
    return shown + search.flush(), search.stopped


@given(stops=stop_lists, text=few_letters, cuts=st.lists(st.integers(0, 30)))
def test_agrees_with_a_naive_search(stops: list[str], text: str, cuts: list[int]) -> None:
    """However a reply is divided, what is shown and whether it stopped agree with a naive search of the whole."""
    ends = sorted({min(cut, len(text)) for cut in cuts} | {len(text)})
    pieces = [text[a:b] for a, b in zip([0, *ends], ends, strict=False)]
    assert streamed(stops, pieces) == naive(stops, text)
    assert streamed(stops, list(text)) == naive(stops, text)


@given(stops=stop_lists, text=few_letters)
def test_holds_back_no_more_than_needed(stops: list[str], text: str) -> None:
    """After each piece the text held back is the longest end that begins a stop string."""
    search = StopStrings(stops)
    shown = ""
    for index, letter in enumerate(text, start=1):
        safe, stopped = search.feed(letter)
        shown += safe
        if stopped:
            break
        starts = [size for stop in stops for size in range(1, len(stop)) if text[:index].endswith(stop[:size])]
        assert len(shown) == index - max(starts, default=0)


def test_cut_at_the_stop() -> None:
    """The stop string and what follows are never shown, and nothing comes after a stop."""
    search = StopStrings(["\nUser:"])
    assert search.feed("Hello.\nUs") == ("Hello.", False)
    assert search.feed("er: hi") == ("", True)
    assert search.feed("more") == ("", True)
    assert search.flush() == ""


def test_without_stop_strings() -> None:
    """Without stop strings everything passes."""
    assert StopStrings([]).feed("abc") == ("abc", False)


def test_empty_stop_string() -> None:
    """An empty stop string is refused, since it would end every reply at once."""
    with pytest.raises(InvalidRequestError, match="must not be empty"):
        StopStrings(["a", ""])
