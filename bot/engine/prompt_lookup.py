"""Guesses what a reply copies next from a text. Pure.

As in A. Saxena, "Prompt Lookup Decoding", 2023 (https://github.com/apoorvumang/prompt-lookup-decoding), on bytes
instead of tokens: a word is tokenized differently behind a quotation mark than behind a blank.
"""

from collections.abc import Callable

_KEY = 4
"""Bytes that must be the same before anything is guessed."""
_LONGEST_MATCH = 64
_AHEAD = 64
"""Bytes that are guessed at most."""
_BYTES_A_TOKEN = 3


class PromptLookup:
    """Proposes the text's continuation of what the reply ends with."""

    def __init__(self, source: bytes, tokenize: Callable[[bytes], list[int]]) -> None:
        self._source = source
        self._tokenize = tokenize
        self.matched = 0
        """Bytes that speak for the guess; 0 where there is none."""
        self._end = 0
        self._places: dict[bytes, list[int]] = {}
        for start in range(len(source) - _KEY):
            self._places.setdefault(source[start : start + _KEY], []).append(start + _KEY)

    def look_up(self, reply: bytes) -> int:
        """Find where the text goes on like a reply that ends with `reply`. Returns `matched`."""
        self._end, self.matched = self._longest_match(reply)
        return self.matched

    def propose(self, most: int) -> list[int]:
        """Tokens that may come next, at most `most`, after `look_up` has found a place."""
        ahead = self._source[self._end : self._end + _AHEAD]
        # A longer match is better evidence. The guess ends where the text does, perhaps within a character.
        return self._tokenize(ahead)[: min(most, max(1, self.matched // _BYTES_A_TOKEN))]

    def _longest_match(self, reply: bytes) -> tuple[int, int]:
        """Where in the source the longest end of the reply ends, and how long it is; (0, 0) where there is none."""
        best, matched = 0, 0
        for end in self._places.get(reply[-_KEY:], ()):
            length = self._common_end(reply, end)
            if length > matched:
                best, matched = end, length
        return best, matched

    def _common_end(self, reply: bytes, end: int) -> int:
        most = min(len(reply), end, _LONGEST_MATCH)
        length = _KEY
        while length < most and reply[-length - 1] == self._source[end - length - 1]:
            length += 1
        return length
