"""Who holds which llama sequence. Pure: knows no model."""

from collections.abc import Callable
from dataclasses import dataclass, field

from bot.engine.stored_state import StateOwner
from bot.engine.token_log import TokenLog


@dataclass(slots=True, kw_only=True)
class Slot:
    """One llama sequence."""

    seq_id: int
    owner: StateOwner | None = None
    """Whose prompt the log holds."""
    log: TokenLog = field(default_factory=TokenLog)
    """Every token the sequence holds or is about to evaluate."""
    evaluated: int = 0
    """How many of the log's tokens the sequence holds."""
    saved: int = 0
    """How many of them the KV store has, too."""
    checkpoint: int = 0
    """Tokens after which the state is to be kept in the store; 0 for never."""
    busy: bool = False
    last_used: int = 0
    """Tick of the last release; 0 for never."""

    @property
    def readable(self) -> int:
        """Tokens that may be evaluated in one batch: those up to the checkpoint, where one is ahead."""
        return (self.checkpoint if self.checkpoint > self.evaluated else len(self.log)) - self.evaluated

    def clear(self) -> None:
        """Forget everything."""
        self.owner = None
        self.log = TokenLog()
        self.evaluated = self.saved = self.checkpoint = 0
        self.last_used = 0

    def hold(self, log: TokenLog, evaluated: int, saved: int) -> None:
        """Take over another content."""
        self.log, self.evaluated, self.saved = log, evaluated, saved


class Slots:
    """All sequences of the context."""

    def __init__(self, count: int) -> None:
        self.all = tuple(Slot(seq_id=seq_id) for seq_id in range(count))
        self._tick = 0

    def can_assign(self) -> bool:
        """Whether a sequence is free or idle."""
        return any(not slot.busy for slot in self.all)

    def assign(self, conversation: str | None) -> Slot:
        """Give a sequence to a conversation: the one that holds it, or the least recently used idle one.

        The sequence keeps its old content and owner until the new prompt is laid out in it.
        """
        idle = [slot for slot in self.all if not slot.busy]
        own = [slot for slot in idle if conversation and slot.owner and slot.owner.conversation == conversation]
        slot = own[0] if own else min(idle, key=lambda slot: slot.last_used)
        slot.busy = True
        return slot

    def release(self, slot: Slot) -> None:
        """The conversation is not being answered any more; its sequence is kept until somebody needs it."""
        self._tick += 1
        slot.busy = False
        slot.last_used = self._tick

    def donor(self, slot: Slot, usable: Callable[[Slot], int]) -> tuple[Slot, int]:
        """The sequence that can give most of a prompt's start, and how many tokens; `slot` where none has more.

        `usable` tells how many tokens a sequence can give.
        """
        best, most = slot, usable(slot)
        for candidate in self.all:
            if candidate is not slot and (tokens := usable(candidate)) > most:
                best, most = candidate, tokens
        return best, most

    def check_integrity(self, length_of: Callable[[int], int]) -> None:
        """Raise when the books and the context disagree; `length_of` tells the tokens a sequence really holds."""
        for slot in self.all:
            held = length_of(slot.seq_id)
            if not slot.evaluated == held <= len(slot.log):
                raise AssertionError(
                    f"sequence {slot.seq_id}: {slot.evaluated} tokens evaluated by the books, "
                    f"{held} in the context, {len(slot.log)} in the log"
                )
