"""How long those in the line will wait. Pure."""

import heapq
from collections.abc import Iterable

_FIRST_REPLY_TOKENS = 128.0
_WEIGHT = 0.2


class WaitEstimate:
    """Guesses from measured rates: how long replies are here, and how fast prompts are read and replies written."""

    def __init__(self) -> None:
        self._reply_tokens = _FIRST_REPLY_TOKENS
        self._decode_s: float | None = None

    def finished(self, *, completion_tokens: int, decode_s: float) -> None:
        """Learn from a reply: its length in tokens, and how long writing them took."""
        self._reply_tokens += _WEIGHT * (completion_tokens - self._reply_tokens)
        if completion_tokens > 1 and decode_s > 0:
            per_token = decode_s / (completion_tokens - 1)
            self._decode_s = (
                per_token if self._decode_s is None else self._decode_s + _WEIGHT * (per_token - self._decode_s)
            )

    def waits(
        self,
        running: Iterable[tuple[int, int, int]],
        waiting: Iterable[tuple[int, int]],
        *,
        free: int,
        prefill_tokens_per_s: float | None,
    ) -> list[float | None]:
        """Seconds until each waiting request is served, in the order of service; None while nothing is measured.

        `running` are prompt tokens yet to be read, tokens written, and most tokens to write; `waiting` are prompt
        tokens and most tokens to write; `free` sequences are idle.
        """
        requests = list(waiting)
        if self._decode_s is None or prefill_tokens_per_s is None:
            return [None] * len(requests)
        ends = [0.0] * free
        for prompt, written, most in running:
            left = max(1.0, min(self._reply_tokens, most) - written)
            ends.append(prompt / prefill_tokens_per_s + left * self._decode_s)
        heapq.heapify(ends)
        waits: list[float | None] = []
        for prompt, most in requests:
            start = heapq.heappop(ends) if ends else 0.0
            waits.append(start)
            reply = min(self._reply_tokens, most)
            heapq.heappush(ends, start + prompt / prefill_tokens_per_s + reply * self._decode_s)
        return waits
