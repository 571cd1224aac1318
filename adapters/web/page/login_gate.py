"""Slows down whoever guesses."""

import time
from collections import deque
from collections.abc import Callable

PER_ADDRESS = 5
"""Failures that one address may have in the window."""
IN_ALL = 50
"""Failures of everybody together, so that many addresses do not help."""
WINDOW_S = 300.0
_MOST_ADDRESSES = 1000


class LoginGate:
    """Counts failed attempts in a sliding window. Pure but for the clock."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures: dict[str, deque[float]] = {}
        self._all: deque[float] = deque(maxlen=IN_ALL)

    def wait_s(self, address: str) -> float:
        """Seconds until this address may try again; 0 for now."""
        own = self._failures.get(address, deque())
        return max(self._left(own, PER_ADDRESS), self._left(self._all, IN_ALL))

    def failed(self, address: str) -> None:
        """Note a failure."""
        if address not in self._failures and len(self._failures) >= _MOST_ADDRESSES:
            self._failures.pop(next(iter(self._failures)))
        self._failures.setdefault(address, deque(maxlen=PER_ADDRESS)).append(self._clock())
        self._all.append(self._clock())

    def succeeded(self, address: str) -> None:
        """Forget what failed there."""
        self._failures.pop(address, None)

    def _left(self, failures: deque[float], most: int) -> float:
        if len(failures) < most:
            return 0.0
        return max(0.0, failures[0] + WINDOW_S - self._clock())
