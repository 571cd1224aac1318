"""The pace of every chat, and of every platform as a whole."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bot.adapter import Allowance, ReplyLimits
from bot.chat.clock import Clock
from bot.chat.delivering.gate import Gate
from bot.messages import ChatAddress

_SWEPT_AT = 256
_Key = tuple[tuple[str, ...], tuple[Allowance, ...]]


class Gates:
    """Keeps everything that is shown within what the platforms allow, so that they need not refuse it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._gates: dict[_Key, Gate] = {}
        self._sweep_at = _SWEPT_AT

    def are_open(self, address: ChatAddress, limits: ReplyLimits, *, spare: bool = False) -> bool:
        """Whether a call may pass at once; with `spare`, one that can as well be left out."""
        return all(gate.is_open(spare=spare) for gate in self._of(address, limits))

    def pause(self, address: ChatAddress, limits: ReplyLimits, seconds: float) -> None:
        """The platform wants to be left alone in this chat, by everybody."""
        self._of(address, limits)[0].pause(seconds)

    def pause_s(self, address: ChatAddress, limits: ReplyLimits) -> float:
        """How long it still does, in seconds."""
        return self._of(address, limits)[0].pause_s

    @asynccontextmanager
    async def passed(self, address: ChatAddress, limits: ReplyLimits) -> AsyncIterator[None]:
        """Wait for a call's turn; it ends with this. Raises `UndeliveredError` where that takes too long."""
        entered: list[Gate] = []
        try:
            for gate in self._of(address, limits):
                await gate.enter()
                entered.append(gate)
            yield
        finally:
            for gate in entered:
                gate.leave()

    def _of(self, address: ChatAddress, limits: ReplyLimits) -> list[Gate]:
        """The chat's first: whoever waits there takes nobody else's room."""
        chat = self._gate(((address.adapter, address.chat), limits.per_chat))
        return [chat, self._gate(((address.adapter,), limits.overall))] if limits.overall else [chat]

    def _gate(self, key: _Key) -> Gate:
        if key not in self._gates:
            if len(self._gates) >= self._sweep_at:
                self._gates = {each: gate for each, gate in self._gates.items() if not gate.is_idle}
                self._sweep_at = max(_SWEPT_AT, 2 * len(self._gates))
            self._gates[key] = Gate(key[1], self._clock)
        return self._gates[key]
