"""How fast a bot may talk.

https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this
"""

import math
from collections import defaultdict, deque
from collections.abc import Callable

from tests.support.bot_api.api_error import too_many

CHAT_PER_S = 1.0
CHAT_BURST = 5
"""The documentation allows "short bursts" without a number."""
GROUP_PER_MINUTE = 20
OVERALL_PER_S = 30


class FloodControl:
    """Counts sends and edits. A call that is refused does not count."""

    def __init__(self, now: Callable[[], float]) -> None:
        """`now` is in seconds; what passes on it is what gives room again."""
        self._now = now
        self.enabled = True
        self._allowance: dict[int, tuple[float, float]] = {}
        self._by_group: defaultdict[int, deque[float]] = defaultdict(deque)
        self._overall: deque[float] = deque()
        self._paused: dict[int, float] = {}

    def pause(self, chat: int, seconds: float) -> None:
        """Refuse everything in a chat for so long, as after a flood."""
        self._paused[chat] = self._now() + seconds

    def check(self, chat: int, *, group: bool) -> None:
        """Count one call. Raises `ApiError` 429 where it is one too many."""
        now = self._now()
        wait = self._paused.get(chat, now) - now
        if self.enabled:
            tokens, at = self._allowance.get(chat, (CHAT_BURST, now))
            tokens = min(CHAT_BURST, tokens + (now - at) * CHAT_PER_S)
            wait = max(wait, (1 - tokens) / CHAT_PER_S)
            wait = max(wait, _wait(self._overall, now, limit=OVERALL_PER_S, window=1.0))
            if group:
                wait = max(wait, _wait(self._by_group[chat], now, limit=GROUP_PER_MINUTE, window=60.0))
        if wait > 1e-6:
            raise too_many(math.ceil(wait))
        if self.enabled:
            self._allowance[chat] = (tokens - 1, now)
            self._overall.append(now)
            if group:
                self._by_group[chat].append(now)


def _wait(times: deque[float], now: float, *, limit: int, window: float) -> float:
    while times and times[0] <= now - window:
        times.popleft()
    return times[0] + window - now if len(times) >= limit else 0.0
