"""A browser that has logged in."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Who logs in."""

    user: str
    """Id in the `permissions` section and in the conversations' keys: a key's name, an invited name, or `local`."""
    name: str
    """How the page greets this person."""
    admin: bool = False
    """A key with `admin`, or whoever reads this machine's terminal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One browser of one person, until it is logged out or its time is over."""

    id: str
    """Hash of the cookie: who reads the database cannot log in with it."""
    holder: Holder
    since: datetime
    until: datetime
