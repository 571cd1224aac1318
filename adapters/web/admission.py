"""The limits of each key."""

import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import ceil

from adapters.web.api_error import ApiError
from adapters.web.principal import Principal

MINUTE_S = 60.0


class Admission:
    """Counts what each principal has under way, and what it asked for lately."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` is in seconds."""
        self._clock = clock
        self._running: dict[str, int] = {}
        self._lately: dict[str, deque[float]] = {}

    @contextmanager
    def admit(self, principal: Principal) -> Iterator[None]:
        """Let one request in for as long as the block takes. Raises `ApiError` 429."""
        self._check_rate(principal)
        running, most = self._running.get(principal.name, 0), principal.allowance.max_requests
        if most is not None and running >= most:
            raise _too_many(f"This key may have {most} requests under way at the same time.", retry_after_s=1)
        self._running[principal.name] = running + 1
        try:
            yield
        finally:
            self._running[principal.name] -= 1
            if not self._running[principal.name]:
                del self._running[principal.name]

    def longest(self, principal: Principal, asked: int | None, default: int, param: str) -> int:
        """Tokens of a reply. Raises `ApiError` 400 where more are asked for than the key may."""
        most = principal.allowance.max_tokens
        if asked is None:
            return default if most is None else min(default, most)
        if most is not None and asked > most:
            raise ApiError(400, f"This key may ask for at most {most} tokens.", code="max_tokens_exceeded", param=param)
        return asked

    def _check_rate(self, principal: Principal) -> None:
        most = principal.allowance.requests_per_minute
        if most is None:
            return
        now, lately = self._clock(), self._lately.setdefault(principal.name, deque())
        while lately and lately[0] <= now - MINUTE_S:
            lately.popleft()
        if len(lately) >= most:
            raise _too_many(f"This key may make {most} requests a minute.", retry_after_s=lately[0] + MINUTE_S - now)
        lately.append(now)


def _too_many(message: str, *, retry_after_s: float) -> ApiError:
    return ApiError(429, message, code="rate_limit_exceeded", headers={"retry-after": str(max(1, ceil(retry_after_s)))})
