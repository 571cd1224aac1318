"""How fast one place on a platform may be written to."""

import math
from collections import deque
from collections.abc import Sequence

from bot.adapter import Allowance

_KEPT_OF = 3
"""One call of so many is kept for what has to be shown."""


class Pace:
    """Counts calls against what the platform allows. Times are in seconds on any one clock.

    A call counts from its beginning until a period after its end. The platform counts it somewhere in between, so
    its limit is kept however long calls are under way.
    """

    def __init__(self, allowances: Sequence[Allowance]) -> None:
        self._allowances = tuple(allowances)
        self._longest_s = max((each.per_s for each in allowances), default=0.0)
        self._under_way = 0
        self._ended: deque[float] = deque()

    def has_room(self, now: float, *, spare: bool = False) -> bool:
        """Whether one more call is allowed; with `spare`, whether enough are left after it for what cannot wait."""
        return all(
            self._counted(each, now) < each.calls - (math.ceil(each.calls / _KEPT_OF) if spare else 0)
            for each in self._allowances
        )

    def wait_s(self, now: float) -> float:
        """Seconds until one more is allowed, if none ends before; infinite where one has to end first."""
        wait = 0.0
        for each in self._allowances:
            surplus = self._counted(each, now) - each.calls
            if surplus >= 0:
                recent = [at for at in self._ended if at > now - each.per_s]
                wait = max(wait, recent[surplus] + each.per_s - now if surplus < len(recent) else math.inf)
        return wait

    def is_idle(self, now: float) -> bool:
        """Whether nothing counts any more."""
        return not self._under_way and (not self._ended or self._ended[-1] <= now - self._longest_s)

    def begin(self) -> None:
        """Count a call that begins."""
        self._under_way += 1

    def end(self, now: float) -> None:
        """It has ended, one way or the other."""
        self._under_way -= 1
        self._ended.append(now)
        while self._ended and self._ended[0] <= now - self._longest_s:
            self._ended.popleft()

    def _counted(self, allowance: Allowance, now: float) -> int:
        return self._under_way + sum(at > now - allowance.per_s for at in self._ended)
