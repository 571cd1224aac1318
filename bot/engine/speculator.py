"""Lets guessed tokens ride along with a batch, and takes back those that were wrong."""

from collections.abc import Sequence as SequenceOf

from bot.engine.draft_economy import DraftEconomy
from bot.engine.runner import MOST_DRAFTED, Runner
from bot.engine.scheduler import ScheduledPart
from bot.engine.sequence import Sequence

_LOOK_BACK = 64
"""Bytes of the reply that are looked up."""


class Speculator:
    """One batch verifies a guess: what the model writes is what it would have written token by token."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._economy = DraftEconomy()

    def draft(self, parts: SequenceOf[ScheduledPart]) -> None:
        """Guess for those replies in the batch that copy from a text, where a wrong guess can be taken back."""
        left = min(MOST_DRAFTED, self._runner.n_batch - sum(part.count for part in parts))
        for part in parts:
            sequence = part.sequence
            if sequence.lookup is None or not sequence.decoding or part.count < sequence.pending or left <= 0:
                continue
            sequence.draft = self._guess(sequence, left)
            left -= len(sequence.draft)

    def settle(self, sequence: Sequence, base: int, draft: list[int]) -> None:
        """The log had `base` tokens when `draft` was evaluated behind it: keep what came true."""
        slot = sequence.holding
        accepted = 0
        for guessed, written in zip(draft, slot.log.tokens[base:], strict=False):
            if guessed != written:
                break
            accepted += 1
        slot.evaluated = base + accepted
        if accepted < len(draft) and not self._runner.truncate(slot.seq_id, slot.evaluated):
            slot.evaluated = 0  # never where `can_roll_back` was right; then all is evaluated again
        if sequence.lookup is not None:
            self._economy.learned(sequence.lookup.matched, proposed=len(draft), accepted=accepted)

    def measured(self, parts: SequenceOf[ScheduledPart], seconds: float) -> None:
        """Learn from a step what guesses cost."""
        if len(parts) == 1 and parts[0].count == 1 and parts[0].sequence.decoding:
            self._economy.measured(drafted=len(parts[0].sequence.draft), seconds=seconds)

    def _guess(self, sequence: Sequence, most: int) -> list[int]:
        slot, constraint = sequence.holding, sequence.active_constraint
        if sequence.lookup is None or sequence.writer.thinking or (constraint is not None and not constraint.begun):
            return []
        length = len(slot.log)
        if not self._runner.can_roll_back(slot.seq_id, length):
            return []
        start = max(sequence.prompt_bytes, len(slot.log.text) - _LOOK_BACK)
        matched = sequence.lookup.look_up(bytes(slot.log.text[start:]))
        # One token more than the guess comes out of the batch.
        room = min(most, sequence.room - 1, self._runner.n_ctx - length)
        most = min(room, self._economy.longest(matched)) if matched else 0
        if most <= 0:
            return []
        draft = sequence.lookup.propose(most)
        return draft[: constraint.prefix(draft)] if constraint is not None and draft else draft
