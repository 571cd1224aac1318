"""How many prompt tokens go into one step. Pure."""

_SMALLEST = 8
_FIRST_GUESS = 32
_ALONE_FACTOR = 4
_WEIGHT = 0.3


class ChunkSizer:
    """Keeps a step near a target duration, from the rates measured so far."""

    def __init__(self, *, target_s: float, n_batch: int, prefill_tokens_per_s: float | None = None) -> None:
        """`target_s` is the longest a step may take while a reply streams.

        Nobody streaming, it may take four times that, which is then the longest a cancelled prompt holds the engine.
        `prefill_tokens_per_s` is a rate that was measured before, as the first guess.
        """
        self._target_s = target_s
        self._n_batch = n_batch
        self._seconds_per_token = 1 / prefill_tokens_per_s if prefill_tokens_per_s else None
        self._decode_s = 0.0
        self._decode_rate: float | None = None

    @property
    def prefill_tokens_per_s(self) -> float | None:
        """Measured rate; None before the first measurement, unless one was given."""
        return 1 / self._seconds_per_token if self._seconds_per_token else None

    @property
    def decode_tokens_per_s(self) -> float | None:
        """Measured rate of all replies together; None before the first measurement."""
        return self._decode_rate

    def size(self, *, decoding: int) -> int:
        """Prompt tokens for the next step, with `decoding` tokens of running replies in the same batch."""
        room = self._n_batch - decoding
        if self._seconds_per_token is None:
            return max(0, min(_FIRST_GUESS, room))
        target = self._target_s - self._decode_s if decoding else self._target_s * _ALONE_FACTOR
        return max(0, min(room, max(_SMALLEST, int(target / self._seconds_per_token))))

    def measured(self, *, prefill: int, decoding: int, seconds: float) -> None:
        """Learn from a step of `prefill` prompt tokens and `decoding` other tokens."""
        if prefill == 0:
            self._decode_s = _blend(self._decode_s, seconds)
            self._decode_rate = _blend(self._decode_rate, decoding / seconds)
        elif prefill >= _SMALLEST:
            alone = max(seconds - (self._decode_s if decoding else 0.0), seconds / 4)
            self._seconds_per_token = _blend(self._seconds_per_token, alone / prefill)


def _blend(old: float | None, new: float) -> float:
    return new if not old else old + _WEIGHT * (new - old)
