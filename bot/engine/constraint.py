"""What a reply must be: a grammar followed token by token."""

import json

import numpy as np
from llguidance import LLMatcher
from numpy.typing import NDArray

from bot.engine.circles import goes_round
from bot.engine.closing import ClosingFinder, allowed_tokens, forced_tokens
from bot.engine.json_lexer import JsonLexer
from bot.engine.vocabulary import Vocabulary
from bot.errors import InvalidRequestError, RequestError

_FIRST = 64
"""Tokens of the known way to the end that may be left out of it, because they were written or something else was."""


class Constraint:
    """State of one reply. `mask`, choose, `take`, and again until `ended`.

    Where the reply must always be complete, the shortest known way to its end is carried along, and taken as soon as
    the chosen token would lead to where the room is not enough any more.
    """

    def __init__(
        self,
        matcher: LLMatcher,
        vocabulary: Vocabulary,
        *,
        finder: ClosingFinder | None = None,
        closing: list[int] | None = None,
        copied_from: str = "",
    ) -> None:
        """`matcher` becomes this constraint's own; with a `finder` the reply is always complete.

        `closing` is a way from the beginning to the end, where one is known already. With a text that is `copied_from`
        a string that goes round in circles is ended.
        Raises `InvalidRequestError` where no end is found.
        """
        self._matcher = matcher
        self._vocabulary = vocabulary
        self._finder = finder
        self._copied_from = json.dumps(copied_from, ensure_ascii=False).encode(errors="replace") if copied_from else b""
        self._lexer = JsonLexer()
        self._begun = self._closed = False
        self._closing: list[int] = []
        if finder is not None:
            closing = list(closing) if closing else finder.find(matcher, self._lexer)
            if closing is None:
                raise InvalidRequestError(
                    "This JSON Schema has no value that is short enough for a reply and that I have the characters for."
                )
            self._closing = closing

    @property
    def closing(self) -> list[int]:
        """Tokens that end the reply from here, where it must be complete."""
        return self._closing

    @property
    def begun(self) -> bool:
        """Something of it was written."""
        return self._begun

    @property
    def ended(self) -> bool:
        """Nothing can follow."""
        return self._closed or self._matcher.is_stopped()

    @property
    def complete(self) -> bool:
        """The reply is always complete, and could end here."""
        return self._finder is not None and (self.ended or self._matcher.is_accepting())

    @property
    def least_tokens(self) -> int:
        """Room that the rest of the reply needs; 0 where it may be cut."""
        return len(self._closing)

    def mask(self, logits: NDArray[np.float32]) -> None:
        """Make what must not come next impossible. Raises `RequestError` where the grammar got too complex."""
        allowed = self._allowed()
        if (ends := self._ends()) is not None and (allowed & ends).any():
            allowed &= ends
        np.putmask(logits, allowed == 0, -np.inf)

    def allows(self, token: int) -> bool:
        """Whether a token may come next, an end token included."""
        return self._matcher.validate_tokens([token]) == 1

    def would_leave(self, token: int) -> bool:
        """Whether `mask` would leave this token possible; much faster than to ask it."""
        return self.allows(token) and self._ends() is None

    def prefix(self, tokens: list[int]) -> int:
        """How many of these tokens may come next, one after the other."""
        return self._matcher.validate_tokens(tokens)

    @property
    def beginning(self) -> list[int]:
        """The tokens that `begin` will return."""
        return forced_tokens(self._matcher.deep_copy())

    def begin(self) -> list[int]:
        """The tokens that every reply begins with."""
        self._begun = True
        forced = self._forced()
        if self._finder is not None:
            self._closing = self._closing_now() or []
        return forced

    def take(self, token: int, room: int) -> list[int]:
        """Go on with a token; returns it and the tokens that must follow.

        `room` is how many tokens the reply may have from this one on. Where it would become too small, the tokens that
        end the reply come in place of all that.
        """
        self._begun = True
        if self._finder is None:
            self._consume([token])
            return [token, *self._forced()]
        before = self._matcher.deep_copy()
        lexer = self._lexer.copy()
        self._consume([token])
        taken = [token, *self._forced()]
        closing = self._closing_now()
        if closing is not None and len(taken) + len(closing) <= room:
            self._closing = closing
            return taken
        self._matcher, self._lexer = before, lexer
        self._consume(self._closing)
        self._closed = True
        return self._closing

    def _closing_now(self) -> list[int] | None:
        """The way to the end from here: most often the same as before, or the rest of it."""
        if self._matcher.is_accepting():
            return []
        if self._finder is None:
            return None
        known = [*self._closing, self._vocabulary.end_tokens[0]]
        # What has begun since is ended first.
        for first in ([], *self._finder.ends):
            for start in range(min(len(known), _FIRST)):
                way = first + known[start:]
                if self._matcher.validate_tokens(way) == len(way):
                    return way[:-1]
        return self._finder.find(self._matcher, self._lexer)

    def _consume(self, tokens: list[int]) -> None:
        if tokens and not self._matcher.consume_tokens(tokens):
            raise self._too_complex()
        if self._finder is not None:
            self._lexer.feed(b"".join(map(self._vocabulary.piece, tokens)))

    def _forced(self) -> list[int]:
        if self._matcher.is_stopped():
            return []
        forced = forced_tokens(self._matcher)
        self._consume(forced)
        return forced

    def _ends(self) -> NDArray[np.uint8] | None:
        """Of each token 1 where it ends a string that goes round in circles; None where none does."""
        if self._finder is None or not self._copied_from or not self._lexer.in_string:
            return None
        return self._finder.string_ends if goes_round(bytes(self._lexer.string), self._copied_from) else None

    def _allowed(self) -> NDArray[np.uint8]:
        allowed = allowed_tokens(self._matcher, self._matcher.compute_bitmask(), self._vocabulary.size)
        if self._matcher.is_error() or not allowed.any():
            raise self._too_complex()
        return allowed

    def _too_complex(self) -> RequestError:
        return RequestError(
            "The required form of this answer is too complex for me.",
            self._matcher.get_error() or "a token was refused",
        )
