"""Who is asking."""

from dataclasses import dataclass, field

LOCAL = "local"
"""Name of whoever asks where no key is configured, which is possible on loopback only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """What a principal may take. None is no limit but everybody's."""

    max_tokens: int | None = None
    """Longest reply, in tokens."""
    max_requests: int | None = None
    """Requests under way at the same time."""
    requests_per_minute: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Somebody who was let in: the holder of a key, or of a session of the page."""

    name: str
    """The key's name, or the session's user. The same person by key and by session has the same name."""
    admin: bool = False
    allowance: Allowance = field(default_factory=Allowance)
