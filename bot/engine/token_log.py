"""What one llama sequence holds: its tokens, and the text they stand for."""

from bisect import bisect_right
from collections.abc import Callable, Iterable
from typing import Any


class Boundaries:
    """Places between tokens whose byte offset in the text is known: how many tokens, how many bytes, ascending."""

    def __init__(self) -> None:
        self.counts: list[int] = []
        self.ends: list[int] = []

    def add(self, count: int, end: int) -> None:
        """Add the last place so far. A second place at the same offset (a token without text) replaces the first."""
        if self.ends and self.ends[-1] == end:
            self.counts[-1] = count
        else:
            self.counts.append(count)
            self.ends.append(end)

    def within_bytes(self, byte_count: int) -> tuple[int, int]:
        """The last place (tokens, bytes) at or before an offset."""
        index = bisect_right(self.ends, byte_count)
        return (self.counts[index - 1], self.ends[index - 1]) if index else (0, 0)

    def cut(self, count: int) -> None:
        """Drop the places behind `count` tokens."""
        index = bisect_right(self.counts, count)
        del self.counts[index:], self.ends[index:]

    def close_gap(self, start: int, end: int, byte_count: int) -> None:
        """Drop the places behind `start` up to `end`, and move those behind it up by the gap and its bytes."""
        first, last = bisect_right(self.counts, start), bisect_right(self.counts, end)
        self.counts[first:] = [count - (end - start) for count in self.counts[last:]]
        self.ends[first:] = [place - byte_count for place in self.ends[last:]]

    def copy(self) -> "Boundaries":
        """An independent copy."""
        other = Boundaries()
        other.counts, other.ends = self.counts.copy(), self.ends.copy()
        return other


class TokenLog:
    """Tokens with the byte offsets of their text, so that a new prompt can be matched by text.

    Matching by text rather than by ids keeps the cache valid when the model's own reply would be tokenized
    differently from how it was sampled. Offsets are only known where a token's bytes are the text's bytes; some
    tokenizers add or normalise spaces.
    """

    def __init__(self) -> None:
        self.tokens: list[int] = []
        self.text = bytearray()
        self.known = Boundaries()
        self.clean = Boundaries()
        """Those places behind which text is tokenized as if it stood alone."""

    def __len__(self) -> int:
        return len(self.tokens)

    def copy(self) -> "TokenLog":
        """An independent log with the same content."""
        other = TokenLog()
        other.tokens, other.text = self.tokens.copy(), self.text.copy()
        other.known, other.clean = self.known.copy(), self.clean.copy()
        return other

    def to_json(self) -> dict[str, Any]:
        """A mapping that `from_json` understands."""
        return {
            "tokens": self.tokens,
            "text": self.text.hex(),
            "known": [self.known.counts, self.known.ends],
            "clean": [self.clean.counts, self.clean.ends],
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "TokenLog":
        """Read what `to_json` wrote."""
        log = cls()
        log.tokens = data["tokens"]
        log.text = bytearray.fromhex(data["text"])
        log.known.counts, log.known.ends = data["known"]
        log.clean.counts, log.clean.ends = data["clean"]
        return log

    def append_prompt(self, text: bytes, pieces: Iterable[tuple[int, bytes, bool]]) -> None:
        """Add a tokenized text; `pieces` are each token's id, bytes, and whether it is a control token."""
        offset = len(self.text)
        self.text += text
        aligned = True
        for token, piece, control in pieces:
            self.tokens.append(token)
            length = self._length_at(offset, piece) if aligned else None
            if length is None:
                aligned = False
                continue
            offset += length
            self.known.add(len(self.tokens), offset)
            if control:
                self.clean.add(len(self.tokens), offset)
        if text and not aligned:
            self.known.add(len(self.tokens), len(self.text))

    def append_token(self, token: int, piece: bytes) -> None:
        """Add a generated token."""
        self.tokens.append(token)
        self.text += piece
        self.known.add(len(self.tokens), len(self.text))

    def truncate(self, length: int) -> int:
        """Keep at most `length` tokens, ending where the text's offset is known; returns how many were kept."""
        self.known.cut(length)
        kept, byte_count = self.known.within_bytes(len(self.text))
        self.clean.cut(kept)
        del self.tokens[kept:], self.text[byte_count:]
        return kept

    def cut(self, start: int, end: int) -> None:
        """Remove the tokens from `start` to before `end`, both places whose offsets are known."""
        first, last = self._offset_of(start), self._offset_of(end)
        del self.tokens[start:end], self.text[first:last]
        for places in (self.known, self.clean):
            places.close_gap(start, end, last - first)

    def gap(self, text: bytes) -> tuple[int, int] | None:
        """Tokens from where to where are missing in a text that otherwise begins with all of this log.

        The gap lies between control tokens: whole turns that were dropped. None where there is no such gap, or none is
        needed.
        """
        start, start_bytes = self.clean.within_bytes(self._common_bytes(text))
        rest = text[start_bytes:]
        for end, end_bytes in zip(self.clean.counts, self.clean.ends, strict=True):
            if end > start and rest.startswith(self.text[end_bytes:]):
                return (start, end) if end < len(self.tokens) else None
        return None

    def _offset_of(self, count: int) -> int:
        return self.known.ends[self.known.counts.index(count)] if count else 0

    def common_tokens(self, text: bytes) -> int:
        """Tokens whose text is a prefix of `text`; a cheap upper bound for what `match` finds."""
        return self.known.within_bytes(self._common_bytes(text))[0]

    def match(self, text: bytes, tokenize: Callable[[bytes], list[int]], is_control: Callable[[int], bool]) -> "Match":
        """Find how much of `text` this log holds already, and tokenize only the rest.

        A log may be left in the middle of a text only behind a control token, or in front of one: everywhere else the
        rest could be tokenized differently from the whole. Behind that point ids are compared.
        """
        common = self._common_bytes(text)
        kept, kept_bytes = self.known.within_bytes(common)
        rest = tokenize(text[kept_bytes:])
        if rest and not is_control(rest[0]):
            kept, kept_bytes = self.clean.within_bytes(common)
            rest = tokenize(text[kept_bytes:])
        same = 0
        for mine, new in zip(self.tokens[kept:], rest, strict=False):
            if mine != new:
                break
            same += 1
        return Match(kept=kept, kept_bytes=kept_bytes, rest=rest, same=same)

    def _length_at(self, offset: int, piece: bytes) -> int | None:
        """Bytes of the text that `piece` stands for at `offset`; tokenizers may have put a space in front."""
        for candidate in (piece, piece.removeprefix(b" ")):
            if self.text.startswith(candidate, offset):
                return len(candidate)
        return None

    def _common_bytes(self, text: bytes) -> int:
        return common_length(self.text, text)


def common_length(one: bytes | bytearray, other: bytes | bytearray) -> int:
    """How many bytes two texts begin with together."""
    low, high = 0, min(len(one), len(other))
    if one.startswith(other[:high]):
        return high
    while high - low > 1:
        middle = (low + high) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle
    return low


class Match:
    """How a new text continues a `TokenLog`."""

    def __init__(self, *, kept: int, kept_bytes: int, rest: list[int], same: int) -> None:
        self.kept = kept
        """Tokens of the log that stay as they are."""
        self.kept_bytes = kept_bytes
        """Their text's length."""
        self.rest = rest
        """Tokens of the text behind that."""
        self.same = same
        """How many of those the log holds too."""

    @property
    def prompt_tokens(self) -> int:
        """Tokens of the whole text."""
        return self.kept + len(self.rest)

    @property
    def cached_tokens(self) -> int:
        """Tokens that the log holds too."""
        return self.kept + self.same

    def reusable(self, evaluated: int) -> int:
        """Tokens that need not be evaluated again, where that many of the log's are.

        The last token always is: only that gives its logits.
        """
        return min(self.cached_tokens, evaluated, self.prompt_tokens - 1)
