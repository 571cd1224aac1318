"""Questions that a person has been asked and has not answered yet."""

from bot.chat.clock import Clock

_VALID_S = 120.0


class Confirmations:
    """Who may confirm what they have just asked for. Valid for two minutes, for one person, once."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._asked: dict[tuple[str, str], float] = {}

    def __len__(self) -> int:
        return len(self._asked)

    def ask(self, adapter: str, user: str) -> None:
        """From now on the person may confirm."""
        now = self._clock.now()
        self._asked.pop((adapter, user), None)
        self._asked[adapter, user] = now + _VALID_S
        # The oldest stand first.
        while self._asked and next(iter(self._asked.values())) <= now:
            del self._asked[next(iter(self._asked))]

    def take(self, adapter: str, user: str) -> bool:
        """Whether the person was asked in time; a second confirmation needs a second question."""
        return self._asked.pop((adapter, user), 0.0) > self._clock.now()
