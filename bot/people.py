"""Who may talk to the bot, for admins who look at it and decide."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

PersonRole = Literal["admin", "user", "blocked", "asks"]
"""`asks`: waits to be let in."""
PersonDecision = Literal["approve", "deny", "block"]


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownPerson:
    """One account, as the configuration and what was decided since have it."""

    id: str
    """Written as adapter:id."""
    name: str
    role: PersonRole
    configured: bool = False
    """The configuration says so, and only it can change that."""
    code: str = ""
    """Of somebody who asks."""


class Door(Protocol):
    """Who may come in, for adapters that know people by keys. Persons are written as adapter:id."""

    @property
    def claim_code(self) -> str | None:
        """The code that makes its first sender the admin; None where there is an admin, or it has become too old."""
        ...

    async def role(self, person: str) -> PersonRole | None:
        """What somebody is; None for somebody whom neither the configuration nor an admin has named.

        Raises `StorageError`.
        """
        ...

    async def claim(self, person: str, *, name: str, code: str) -> bool:
        """Make somebody the first admin; False for a wrong or old code. Raises `StorageError`."""
        ...


class PeopleRegister(Protocol):
    """Everybody who was let in, made an admin or shut out, and who asks to be let in."""

    async def everybody(self) -> Sequence[KnownPerson]:
        """Those who ask last. Raises `StorageError`."""
        ...

    async def decide(self, whom: str, decision: PersonDecision, *, actor: str) -> str:
        """Decide about a code or an id, and return what was done in words.

        `actor` is the id of the admin. Raises `InvalidRequestError` and `StorageError`.
        """
        ...
