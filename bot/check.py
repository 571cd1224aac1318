"""What a doctor says about one thing."""

from dataclasses import dataclass
from typing import Literal

Status = Literal["ok", "warn", "fail"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One finding."""

    name: str
    status: Status
    found: str
    """What is there, in a line."""
    fix: str = ""
    """What to do about it; empty where nothing is to be done."""
    exit_code: int = 0
    """What a process that ends because of it exits with."""

    def as_object(self) -> dict[str, str]:
        """Return the finding for a program."""
        return {"name": self.name, "status": self.status, "found": self.found, "fix": self.fix}
