"""The code that makes the first admin."""

import secrets

from bot.chat.clock import Clock
from bot.chat.codes import new_code

VALID_S = 3600.0
_GROUPS = 3


class ClaimCode:
    """Valid for an hour, and once. Never written anywhere but where the owner looks for it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._code: str | None = None
        self._until = 0.0

    @property
    def value(self) -> str | None:
        """The code; None where there is none to claim with now."""
        return self._code if self._clock.now() < self._until else None

    def issue(self) -> str:
        """A new code, in place of the one before."""
        self._code = new_code(_GROUPS)
        self._until = self._clock.now() + VALID_S
        return self._code

    def matches(self, code: str) -> bool:
        """Whether it is this one, and in time."""
        return self.value is not None and secrets.compare_digest(self.value, code)

    def withdraw(self) -> None:
        """It was used, or there is an admin by now."""
        self._code = None
