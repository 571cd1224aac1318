"""How an adapter is doing, for people who look after the daemon."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

AdapterPhase = Literal["up", "retrying", "stopped", "left"]
"""`retrying`: lost, and tried again after a pause. `stopped`: failed for good. `left`: had nothing more to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AdapterState:
    """One adapter, as its supervisor knows it."""

    name: str
    phase: AdapterPhase
    since: datetime
    reason: str = ""
    """Why it is not up, for the owner; empty where it is."""
