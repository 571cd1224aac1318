"""Requests that wait for a sequence, and who is next. Pure."""

from collections import Counter, OrderedDict, deque
from typing import Generic, Protocol, TypeVar

from bot.errors import QueueFullError


class Queued(Protocol):
    """What stands in the line."""

    @property
    def user(self) -> str:
        """Whose request it is."""
        ...


T = TypeVar("T", bound=Queued)


class WaitingLine(Generic[T]):
    """Round-robin between users, first come first served within one.

    The next user is the one with the fewest requests being served, then the one served longest ago, so that ten
    long requests of one person delay another's short one by no more than one reply.
    """

    def __init__(self, *, limit: int, limit_per_user: int) -> None:
        """Limits are numbers of waiting requests."""
        self._limit = limit
        self._limit_per_user = limit_per_user
        self._by_user: OrderedDict[str, deque[T]] = OrderedDict()
        self._served: dict[str, int] = {}
        self._tick = 0

    def __len__(self) -> int:
        return sum(len(requests) for requests in self._by_user.values())

    def add(self, request: T) -> None:
        """Put a request at the end of its user's line. Raises `QueueFullError`."""
        mine = self._by_user.get(request.user, deque())
        if len(mine) >= self._limit_per_user:
            raise QueueFullError(
                f"You have {len(mine)} messages waiting already. Please let me answer those first.", request.user
            )
        if len(self) >= self._limit:
            raise QueueFullError("Too many people are waiting right now. Please try again in a few minutes.")
        self._by_user.setdefault(request.user, mine).append(request)

    def take(self, running: Counter[str]) -> T:
        """Remove and return the next request. `running` counts each user's requests being served."""
        user = self._next_user(running)
        request = self._by_user[user].popleft()
        self._tick += 1
        self._served[user] = self._tick
        self._tidy(user)
        return request

    def remove(self, request: T) -> bool:
        """Take a request out of the line; False if it was not in it."""
        mine = self._by_user.get(request.user)
        if mine is None or request not in mine:
            return False
        mine.remove(request)
        self._tidy(request.user)
        return True

    def requests(self) -> list[T]:
        """Every waiting request, in no particular order."""
        return [request for mine in self._by_user.values() for request in mine]

    def order(self, running: Counter[str]) -> list[T]:
        """Every waiting request in the order of service, if nobody else came."""
        preview: WaitingLine[T] = WaitingLine(limit=self._limit, limit_per_user=self._limit_per_user)
        preview._by_user = OrderedDict((user, deque(mine)) for user, mine in self._by_user.items())
        preview._served = dict(self._served)
        preview._tick = self._tick
        return [preview.take(running) for _ in range(len(self))]

    def _next_user(self, running: Counter[str]) -> str:
        return min(self._by_user, key=lambda user: (running[user], self._served.get(user, 0)))

    def _tidy(self, user: str) -> None:
        if not self._by_user[user]:
            del self._by_user[user]
        if not self._by_user:
            # Nobody is kept waiting by anybody, so who was served when has no meaning any more.
            self._served.clear()
