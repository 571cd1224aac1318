"""The adapters that are up, as places where something can be said unasked."""

from collections.abc import Sequence
from datetime import UTC, datetime

from bot.adapter import OpenTarget, ReplyTarget
from bot.adapter_state import AdapterPhase, AdapterState
from bot.messages import ChatAddress


class Platforms:
    """Who is connected now, and what became of the others."""

    def __init__(self) -> None:
        self._open: dict[str, OpenTarget] = {}
        self._states: dict[str, AdapterState] = {}
        self._times: dict[str, int] = {}

    @property
    def states(self) -> Sequence[AdapterState]:
        """Of every adapter that was ever tried."""
        return list(self._states.values())

    def connected(self, name: str, open_target: OpenTarget) -> None:
        """An adapter is up."""
        self._open[name] = open_target
        self._times[name] = self.times(name) + 1
        self._note(name, "up", "")

    def disconnected(self, name: str, phase: AdapterPhase, reason: str = "") -> None:
        """The adapter is not up, or not any more."""
        self._open.pop(name, None)
        self._note(name, phase, reason)

    def is_up(self, name: str) -> bool:
        """Whether an adapter is."""
        return name in self._open

    def times(self, name: str) -> int:
        """How often it has come up: a target from before is of no use after."""
        return self._times.get(name, 0)

    def up_since(self, name: str) -> float | None:
        """When it came up, in seconds since 1970; None where it is not up."""
        state = self._states.get(name)
        return state.since.timestamp() if state is not None and state.phase == "up" else None

    def target(self, address: ChatAddress) -> ReplyTarget | None:
        """Where to say something at `address`; None while its adapter is not up, or can say nothing unasked."""
        open_target = self._open.get(address.adapter)
        return None if open_target is None else open_target(address)

    def _note(self, name: str, phase: AdapterPhase, reason: str) -> None:
        self._states[name] = AdapterState(name=name, phase=phase, since=datetime.now(UTC), reason=reason)
