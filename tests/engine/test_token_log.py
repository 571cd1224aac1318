"""Matching a prompt against what a sequence holds."""

import json
import re
from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from bot.engine.token_log import Match, TokenLog

CONTROL = b"<e>"


class Words:
    """A tokenizer whose tokens are `<e>`, words with the space before them, or single letters of long words."""

    def __init__(self) -> None:
        self.ids: dict[bytes, int] = {}

    def tokenize(self, text: bytes) -> list[int]:
        """Longest pieces of up to three letters, so that the same text can be cut in several ways."""
        return [self.id(piece) for piece in re.findall(rb"<e>| ?[^ <]{1,3}| |<", text)]

    def id(self, piece: bytes) -> int:
        """The piece's id, a new one for a new piece."""
        return self.ids.setdefault(piece, len(self.ids))

    def is_control(self, token: int) -> bool:
        """Whether it is `<e>`."""
        return self.ids.get(CONTROL) == token

    def pieces(self, tokens: Iterable[int]) -> list[tuple[int, bytes, bool]]:
        """As `TokenLog.append_prompt` wants them."""
        names = {token: piece for piece, token in self.ids.items()}
        return [(token, names[token], self.is_control(token)) for token in tokens]

    def log(self, text: bytes) -> TokenLog:
        """A log that holds a prompt."""
        log = TokenLog()
        log.append_prompt(text, self.pieces(self.tokenize(text)))
        return log

    def match(self, log: TokenLog, text: bytes) -> Match:
        """Match a text against a log."""
        return log.match(text, self.tokenize, self.is_control)


def test_an_appended_prompt_keeps_everything() -> None:
    """Of a prompt that goes on behind a control token, only the new part is tokenized."""
    words = Words()
    log = words.log(b"one two<e>")
    match = words.match(log, b"one two<e>three<e>")
    assert (match.kept, match.same) == (len(log), 0)
    assert match.rest == words.tokenize(b"three<e>")


def test_a_reply_tokenized_by_the_model_still_matches() -> None:
    """A reply sampled in other pieces than the tokenizer's is matched by its text."""
    words = Words()
    log = words.log(b"hi<e>")
    for piece in (b"a", b"b", b"cd"):
        log.append_token(words.id(piece), piece)
    assert words.tokenize(b"abcd") != log.tokens[-3:]
    match = words.match(log, b"hi<e>abcd<e>more<e>")
    assert match.cached_tokens == len(log)


def test_an_edited_text_is_tokenized_again_from_the_last_control_token() -> None:
    """A difference inside a text never leaves a piece that the whole text would not have."""
    words = Words()
    log = words.log(b"hi<e>abcdef<e>")
    match = words.match(log, b"hi<e>abcxyz<e>")
    assert match.kept == len(words.tokenize(b"hi<e>"))
    assert match.same == 1  # `abc` is the same piece in both
    assert match.kept_bytes == len(b"hi<e>")


def test_a_shorter_prompt_matches_its_part() -> None:
    """Taking a turn back keeps everything before it."""
    words = Words()
    log = words.log(b"one<e>two<e>three<e>")
    match = words.match(log, b"one<e>two<e>")
    assert match.cached_tokens == match.prompt_tokens == len(words.tokenize(b"one<e>two<e>"))


def test_spaces_put_in_front_by_the_tokenizer_do_not_break_offsets() -> None:
    """Pieces with a space that the text does not have (SentencePiece) are still found."""
    words = Words()
    log = TokenLog()
    log.append_prompt(b"one<e>", [(1, b" one", False), (words.id(CONTROL), CONTROL, True)])
    assert words.match(log, b"one<e>two").kept == 2


def test_pieces_that_are_not_in_the_text_give_one_block() -> None:
    """A tokenizer that rewrites the text leaves only the end as a known place."""
    log = TokenLog()
    log.append_prompt(b"abc<e>", [(1, b"XYZ", False), (2, b"c", False), (3, CONTROL, True)])
    assert log.common_tokens(b"abc<e>d") == 3
    assert log.common_tokens(b"abx") == 0
    assert log.truncate(2) == 0
    assert log.text == b""


@given(st.lists(st.sampled_from([b"a", b"bc", b" d", CONTROL, b"  ", b"abcd"]), max_size=12), st.integers(0, 12))
def test_truncate_keeps_text_and_tokens_together(parts: list[bytes], length: int) -> None:
    """After a cut the log's text is exactly its tokens' text."""
    words = Words()
    log = words.log(b"".join(parts))
    kept = log.truncate(length)
    assert kept == len(log.tokens) == min(length, len(words.tokenize(b"".join(parts))))
    assert bytes(log.text) == b"".join(piece for _, piece, _ in words.pieces(log.tokens))


@given(
    st.lists(st.sampled_from([b"a", b"bc", b" d", CONTROL, b"abcd"]), max_size=12),
    st.lists(st.sampled_from([b"a", b"bc", b" d", CONTROL, b"abcd"]), max_size=12),
)
def test_a_match_against_a_prompt_is_what_the_tokenizer_makes_of_the_whole(old: list[bytes], new: list[bytes]) -> None:
    """Reusing a tokenized prompt never changes how the new one is tokenized, as far as control tokens allow."""
    words = Words()
    log = words.log(b"".join(old))
    text = b"".join(new)
    match = words.match(log, text)
    assert log.tokens[: match.kept] + match.rest == words.tokenize(text) or (
        # A log that ends without a control token is left in front of one only.
        match.kept and words.is_control(match.rest[0])
    )
    assert log.tokens[match.kept : match.kept + match.same] == match.rest[: match.same]
    assert bytes(log.text[: match.kept_bytes]) == text[: match.kept_bytes]


def test_dropped_turns_are_found_as_a_gap() -> None:
    """A prompt that lacks whole turns in the middle is found in the log, and cutting them makes the log its start."""
    words = Words()
    log = words.log(b"persona<e>one<e>two<e>three<e>four")
    text = b"persona<e>three<e>four<e>five<e>"
    gap = log.gap(text)
    assert gap is not None
    log.cut(*gap)
    assert bytes(log.text) == b"persona<e>three<e>four"
    assert words.match(log, text).cached_tokens == len(log)
    assert log.tokens == words.tokenize(bytes(log.text))


def test_no_gap_where_nothing_was_dropped() -> None:
    """A prompt that goes on, or one that is another, has no gap."""
    words = Words()
    log = words.log(b"persona<e>one<e>two<e>")
    assert log.gap(b"persona<e>one<e>two<e>three<e>") is None
    assert log.gap(b"persona<e>other<e>") is None


@given(st.lists(st.sampled_from([b"a<e>", b"bc<e>", b" d<e>", b"abcd<e>"]), min_size=2, max_size=10), st.data())
def test_a_cut_keeps_places_and_text_together(turns: list[bytes], data: st.DataObject) -> None:
    """After any whole turns are cut out, the log is what the tokenizer makes of the rest, and so is a copy by JSON."""
    words = Words()
    log = words.log(b"".join(turns))
    first = data.draw(st.integers(0, len(turns) - 1))
    last = data.draw(st.integers(first + 1, len(turns)))
    start, end = (len(words.tokenize(b"".join(turns[:count]))) for count in (first, last))
    log.cut(start, end)
    expected = words.log(b"".join(turns[:first] + turns[last:]))
    for made in (log, TokenLog.from_json(json.loads(json.dumps(log.to_json())))):
        assert made.tokens == expected.tokens
        assert made.text == expected.text
        assert (made.known.counts, made.known.ends) == (expected.known.counts, expected.known.ends)
        assert (made.clean.counts, made.clean.ends) == (expected.clean.counts, expected.clean.ends)
