"""A short way to the end of a JSON value that has begun."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from llguidance import LLMatcher
from numpy.typing import NDArray

from bot.engine.json_lexer import JsonLexer
from bot.engine.vocabulary import Vocabulary

_LONGEST = 8192
"""Steps, those that are taken back included. A value that needs more is given up."""
_ENDS = ((b'"',), (b"]",), (b"}",), (b"\xa1",), (b"\xa1", b"\xa1"))
"""The last two end most of UTF-8's characters of several bytes."""
_CLOSERS = (b"}", b"]", b",", b":")
_SHORT_VALUES = (b"null", *(b"%d" % digit for digit in range(10)), b"true", b"false", b'"', b"[", b"{", b"-", b".")
_SHORT_PARTS = tuple(b"@.:/-0123456789aT")
"""What formats such as that of an e-mail address need within a string."""
_MOST_TRIED = 64
_FEW = 256
_LOOK_BACK = 16
"""Choices that can be taken back."""


def forced_tokens(matcher: LLMatcher) -> list[int]:
    """The tokens that must come next.

    Not every byte is in every vocabulary, and llama.cpp's tokenizer leaves out those that are not (the first byte of
    the rarest characters in SmolLM2's): what comes behind the gap is dropped here.
    """
    forced: list[int] = matcher.compute_ff_tokens()
    return forced[: matcher.validate_tokens(forced)] if forced else []


def allowed_tokens(matcher: LLMatcher, mask: bytes, size: int) -> NDArray[np.uint8]:
    """Of each of the vocabulary's `size` tokens 1 where it may come next, else 0: all 0 where nothing can.

    `mask` is what the matcher's `compute_bitmask` said.
    """
    allowed = np.unpackbits(np.frombuffer(mask, dtype=np.uint8), count=size, bitorder="little")
    first = int(allowed.argmax())
    # Before a byte that is not in the vocabulary llguidance allows what its tokenizer finds behind it.
    if allowed[first] and not matcher.validate_tokens([first]):
        allowed[:] = 0
    return allowed


@dataclass(slots=True)
class _Place:
    """Where the walk is."""

    matcher: LLMatcher
    lexer: JsonLexer
    path: list[int]
    tried: set[int] = field(default_factory=set)
    """Tokens that led nowhere from here."""

    def copy(self) -> "_Place":
        return _Place(self.matcher.deep_copy(), self.lexer.copy(), list(self.path), set(self.tried))

    def go_on(self, tokens: list[int], text: bytes) -> None:
        self.path += tokens
        self.lexer.feed(text)
        self.tried.clear()


class ClosingFinder:
    """Walks a copy of a grammar's state: closes what can be closed, and else writes what is short.

    What it finds need not be the shortest way of all, but it is a way.
    """

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._pieces = [vocabulary.piece(token) for token in range(vocabulary.size)]
        self._lengths = np.array([len(piece) for piece in self._pieces])
        self._lengths[list(vocabulary.end_tokens)] = 0
        tokens = {piece: token for token, piece in reversed(list(enumerate(self._pieces)))}
        self._quote = tokens.get(b'"')
        self.string_ends = np.array([piece.startswith(b'"') for piece in self._pieces], dtype=np.uint8)
        """Of each token 1 where it ends a string that is open."""
        self.ends = [[tokens[byte] for byte in end] for end in _ENDS if all(byte in tokens for byte in end)]
        """What ends a value, or a character, that is open."""
        self._closers = [tokens[piece] for piece in _CLOSERS if piece in tokens]
        self._values = [tokens[piece] for piece in _SHORT_VALUES if piece in tokens]
        self._parts = [tokens[piece] for byte in _SHORT_PARTS if (piece := bytes([byte])) in tokens]

    def find(self, start: LLMatcher, lexer: JsonLexer) -> list[int] | None:
        """Tokens that make a complete value of what `lexer` has read; None where none are found."""
        place = _Place(start.deep_copy(), lexer.copy(), [])
        choices: deque[_Place] = deque(maxlen=_LOOK_BACK)
        seen: set[bytes] = set()
        for _ in range(_LONGEST):
            if place.matcher.is_accepting():
                return place.path
            step = forced_tokens(place.matcher)
            if not step and (token := self._choice(place, seen)) is not None:
                step = [token]
                place.tried.add(token)
                choices.append(place.copy())
            if step and place.matcher.consume_tokens(step):
                place.go_on(step, b"".join(self._pieces[token] for token in step))
            elif choices:  # what was chosen last cannot be written to its end
                place = choices.pop()
            else:
                return None
        return None

    def _choice(self, place: "_Place", seen: set[bytes]) -> int | None:
        mask = place.matcher.compute_bitmask()
        seen.add(mask)
        allowed = allowed_tokens(place.matcher, mask, len(self._pieces))
        allowed[list(place.tried)] = 0
        closers = self._closers if not place.lexer.in_string else [] if self._quote is None else [self._quote]
        for token in closers:
            if allowed[token]:
                return token
        first = self._parts if place.lexer.in_string else self._values
        candidates = [*self._candidates(allowed, first), *self._few(allowed)]
        for token in candidates:
            if self._leads_on(place.matcher, token, seen):
                return token
        if place.tried and candidates:
            return candidates[0]
        # Every way leads to the like of where we are: something is being counted, so the longest piece helps most.
        longest = int(np.argmax(self._lengths * allowed))
        return longest if allowed[longest] and self._lengths[longest] else None

    def _candidates(self, allowed: NDArray[np.uint8], first: Sequence[int]) -> list[int]:
        """`first`, as far as they are allowed, then one token for each other way to begin."""
        candidates = [token for token in first if allowed[token]]
        begun = {self._pieces[token][:1] for token in candidates}
        for token in map(int, (allowed * self._lengths).nonzero()[0]):
            if self._pieces[token][:1] not in begun:
                begun.add(self._pieces[token][:1])
                candidates.append(token)
                if len(candidates) == _MOST_TRIED:
                    break
        return candidates

    def _few(self, allowed: NDArray[np.uint8]) -> list[int]:
        """Everything that is possible, where that is not much."""
        tokens = (allowed * self._lengths).nonzero()[0]
        return list(map(int, tokens)) if len(tokens) <= _FEW else []

    def _leads_on(self, matcher: LLMatcher, token: int, seen: set[bytes]) -> bool:
        """Whether a token ends the value, or leads to where we have not been."""
        ahead = matcher.deep_copy()
        if not ahead.consume_token(token):
            return False
        if forced := forced_tokens(ahead):
            ahead.consume_tokens(forced)
        if ahead.is_accepting():
            return True
        mask = ahead.compute_bitmask()
        return mask not in seen and bool(allowed_tokens(ahead, mask, len(self._pieces)).any())
