"""How long a guess may be so that verifying it is faster than writing token by token. Pure."""

from math import log

_WEIGHT = 0.1
_FIRST_SHARE = 0.25
"""Of a step's time, what one token more costs: little where reading the weights takes most of it."""
_FIRST_CHANCE = 0.8
_SUREST = 0.98
_STRENGTHS = (8, 16)
"""Bytes that match: below the first, below the second, and more are three kinds of evidence."""
_MOST = 64
_EVERY = 256
_TRIED = 4


class DraftEconomy:
    """Knows from what it sees what a guessed token costs, and how often it comes true.

    On a card or with slow memory a token more in a batch costs next to nothing; a processor whose arithmetic is the
    limit takes as long for it as for a step of its own, and then guesses only make replies slower.
    """

    def __init__(self) -> None:
        self._step_s: float | None = None
        self._token_s: float | None = None
        self._chances = [_FIRST_CHANCE] * (len(_STRENGTHS) + 1)
        self._passed = 0

    def longest(self, matched: int) -> int:
        """Tokens of a guess for which so many bytes speak that are worth their time; 0 where none is.

        The n-th token helps only where all before it come true as well. Now and then a guess is let pass that does not
        seem worth it, because the machine and the texts may have changed.
        """
        share = self._token_s / self._step_s if self._token_s is not None and self._step_s else _FIRST_SHARE
        chance = min(self._chances[_kind(matched)], _SUREST)
        worth = _MOST if share <= 0 else int(log(share) / log(chance)) if share < 1 and chance > 0 else 0
        if worth:
            return min(worth, _MOST)
        self._passed += 1
        return _TRIED if self._passed % _EVERY == 0 else 0

    def measured(self, *, drafted: int, seconds: float) -> None:
        """Learn from a step in which one reply got one token, and `drafted` guessed ones were verified."""
        if not drafted:
            self._step_s = _blend(self._step_s, seconds)
        elif self._step_s is not None:
            self._token_s = _blend(self._token_s, max(0.0, seconds - self._step_s) / drafted)

    def learned(self, matched: int, *, proposed: int, accepted: int) -> None:
        """Learn from a guess: of so many tokens so many came true, and those behind the first wrong one say nothing."""
        kind = _kind(matched)
        self._chances[kind] = _blend(self._chances[kind], accepted / min(accepted + 1, proposed))


def _kind(matched: int) -> int:
    return sum(matched >= strength for strength in _STRENGTHS)


def _blend(old: float | None, new: float) -> float:
    return new if old is None else old + _WEIGHT * (new - old)
