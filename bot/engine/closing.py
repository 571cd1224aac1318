"""A short way to the end of a JSON value that has begun."""

import numpy as np
from llguidance import LLMatcher
from numpy.typing import NDArray

from bot.engine.json_lexer import JsonLexer
from bot.engine.vocabulary import Vocabulary

_LONGEST = 8192
"""Tokens. A value that needs more is given up."""
_CLOSERS = (b"}", b"]", b",", b":")
_SHORT_VALUES = (b"null", *(b"%d" % digit for digit in range(10)), b"true", b"false", b'"', b"[", b"{", b"-", b".")
_MOST_TRIED = 64
_FEW = 256


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
        self._closers = [tokens[piece] for piece in _CLOSERS if piece in tokens]
        self._values = [tokens[piece] for piece in _SHORT_VALUES if piece in tokens]

    def find(self, start: LLMatcher, lexer: JsonLexer) -> list[int] | None:
        """Tokens that make a complete value of what `lexer` has read; None where none are found."""
        matcher, place = start.deep_copy(), lexer.copy()
        path: list[int] = []
        seen: set[bytes] = set()
        while len(path) < _LONGEST:
            if matcher.is_accepting():
                return path
            step = matcher.compute_ff_tokens() or self._step(matcher, place, seen)
            if not step or not matcher.consume_tokens(step):
                return None
            path += step
            for token in step:
                place.feed(self._pieces[token])
        return None

    def _step(self, matcher: LLMatcher, place: JsonLexer, seen: set[bytes]) -> list[int]:
        mask = matcher.compute_bitmask()
        seen.add(mask)
        allowed = np.unpackbits(np.frombuffer(mask, dtype=np.uint8), count=len(self._pieces), bitorder="little")
        closers = self._closers if not place.in_string else [] if self._quote is None else [self._quote]
        for token in closers:
            if allowed[token]:
                return [token]
        for token in (*self._candidates(allowed), *self._few(allowed)):
            if self._leads_on(matcher, token, seen):
                return [token]
        # Every way leads to the like of where we are: something is being counted, so the longest piece helps most.
        longest = int(np.argmax(self._lengths * allowed))
        return [longest] if allowed[longest] and self._lengths[longest] else []

    def _candidates(self, allowed: NDArray[np.uint8]) -> list[int]:
        """Short values first, then one token for each way to begin."""
        candidates = [token for token in self._values if allowed[token]]
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
        if forced := ahead.compute_ff_tokens():
            ahead.consume_tokens(forced)
        return ahead.is_accepting() or ahead.compute_bitmask() not in seen
