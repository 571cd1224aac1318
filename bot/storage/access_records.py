"""What the repositories of people hand out. All are immutable snapshots of rows; times are aware and in UTC."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Self

Role = Literal["admin", "user", "blocked"]
PairingStatus = Literal["pending", "approved", "denied"]
"""`pending`: asked and not decided. `approved`: let in, and not told so yet. `denied`: not let in, and not answered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """One account on one platform. Never a name, which can change hands."""

    adapter: str
    user: str

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """The account that `adapter:id` names; None where the text is no such thing."""
        adapter, colon, user = text.strip().partition(":")
        return cls(adapter=adapter, user=user) if adapter and colon and user else None

    def __str__(self) -> str:
        """As it is written in the `permissions` section."""
        return f"{self.adapter}:{self.user}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who was let in, made an admin or shut out, other than by the configuration."""

    identity: Identity
    name: str
    """How they called themselves then; may be empty."""
    role: Role
    changed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairing:
    """Somebody who asks to be let in."""

    identity: Identity
    name: str
    chat: str
    """The private chat in which they asked."""
    code: str
    status: PairingStatus
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One thing that an admin did."""

    at: datetime
    actor: str
    """Who: an id, or the account on the machine whose command line it was."""
    act: str
    subject: str
    """To whom or what."""
    detail: str
