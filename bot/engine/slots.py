"""Which conversation holds which llama sequence. Pure: knows no model."""

from collections.abc import Callable
from dataclasses import dataclass, field

from bot.engine.token_log import TokenLog

_WORTH_COPYING = 32
"""Tokens. Copying a stream costs about as much as evaluating this many."""


@dataclass(slots=True, kw_only=True)
class Slot:
    """One llama sequence."""

    seq_id: int
    conversation: str | None = None
    log: TokenLog = field(default_factory=TokenLog)
    """Every token the sequence holds or is about to evaluate."""
    evaluated: int = 0
    """How many of the log's tokens the sequence holds."""
    busy: bool = False
    last_used: int = 0
    """Tick of the last release; 0 for never."""

    def clear(self) -> None:
        """Forget everything."""
        self.conversation = None
        self.log = TokenLog()
        self.evaluated = 0
        self.last_used = 0


class Slots:
    """All sequences of the context."""

    def __init__(self, count: int) -> None:
        self.all = tuple(Slot(seq_id=seq_id) for seq_id in range(count))
        self._tick = 0

    def can_assign(self) -> bool:
        """Whether a sequence is free or idle."""
        return any(not slot.busy for slot in self.all)

    def assign(self, conversation: str | None) -> Slot:
        """Give a sequence to a conversation: the one it held before, or the least recently used idle one.

        The sequence's old content stays until it is overwritten, so that the new owner can use a common start.
        """
        idle = [slot for slot in self.all if not slot.busy]
        own = [slot for slot in idle if conversation is not None and slot.conversation == conversation]
        slot = own[0] if own else min(idle, key=lambda slot: slot.last_used)
        slot.busy = True
        slot.conversation = conversation
        return slot

    def release(self, slot: Slot) -> None:
        """The conversation is not being answered any more; its sequence is kept until somebody needs it."""
        self._tick += 1
        slot.busy = False
        slot.last_used = self._tick

    def donor(self, slot: Slot, text: bytes) -> Slot | None:
        """Another sequence that holds so much more of this text's start that copying it pays (a shared persona)."""

        def shared(candidate: Slot) -> int:
            return min(candidate.log.common_tokens(text), candidate.evaluated)

        best = max(self.all, key=shared)
        return best if best is not slot and shared(best) >= shared(slot) + _WORTH_COPYING else None

    def check_integrity(self, length_of: Callable[[int], int]) -> None:
        """Raise when the books and the context disagree; `length_of` tells the tokens a sequence really holds."""
        for slot in self.all:
            held = length_of(slot.seq_id)
            if not slot.evaluated == held <= len(slot.log):
                raise AssertionError(
                    f"sequence {slot.seq_id}: {slot.evaluated} tokens evaluated by the books, "
                    f"{held} in the context, {len(slot.log)} in the log"
                )
