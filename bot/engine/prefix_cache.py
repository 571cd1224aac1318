"""Finds what of a prompt has been evaluated before, wherever it is, and brings it into a sequence."""

from collections.abc import Callable
from dataclasses import replace

from bot.engine.kv_store import KvStore
from bot.engine.reuse import Reuse
from bot.engine.runner import Runner
from bot.engine.slots import Slot, Slots
from bot.engine.stored_state import StateOwner, StoredState
from bot.engine.token_log import TokenLog

_WORTH_MOVING = 32
"""Tokens. Copying or restoring a sequence costs about as much as evaluating this many, and so does keeping it."""


class PrefixCache:
    """The sequences' contents and the store's, seen as one cache. Runs on the inference thread."""

    def __init__(self, *, runner: Runner, slots: Slots, store: KvStore | None, share: bool) -> None:
        """`share` lets one user's prompt start from another's evaluated prefix."""
        self._runner = runner
        self._slots = slots
        self._store = store
        self._share = share
        self._reuse = Reuse(runner)

    def lay_out(self, slot: Slot, owner: StateOwner, text: bytes, *, may_shift: bool) -> int:
        """Make a sequence's log hold a prompt; returns how many of its tokens need not be evaluated.

        What the sequence held for somebody else goes to the store. `may_shift` allows turns to be cut out of the middle
        of the conversation's own cache, the positions behind them moved up.
        """
        may_use = self._may_use(owner)
        if may_shift and slot.owner != owner:
            self._bring_back(slot, owner, text)

        def usable(candidate: Slot) -> int:
            allowed = candidate.owner is not None and may_use(candidate.owner)
            return self._reuse.of_sequence(candidate, text) if allowed else 0

        own = usable(slot)
        donor, copied = self._slots.donor(slot, usable)
        key, stored = self._store.best(text, may_use) if self._store else ("", 0)
        if slot.owner != owner or own < slot.evaluated - _WORTH_MOVING:
            self.keep(slot)
        if slot.owner is not None and not may_use(slot.owner):
            self._runner.truncate(slot.seq_id, 0)
            slot.clear()
        shifted = may_shift and slot.owner == owner and self._shift(slot, text, more_than=max(own, copied, stored))
        restored = not shifted and stored >= max(own, copied) + _WORTH_MOVING and self._restore(slot, key)
        if not shifted and not restored and copied >= own + _WORTH_MOVING:
            self._runner.copy(donor.seq_id, slot.seq_id)
            slot.hold(donor.log.copy(), donor.evaluated, 0)
        cached = self._overwrite(slot, text)
        slot.owner = owner
        place = self._reuse.checkpoint(slot.log) if self._store else 0
        slot.checkpoint = place if place > max(cached, _WORTH_MOVING) else 0
        return cached

    def keep(self, slot: Slot) -> None:
        """Put what a sequence holds into the store, unless it is there or not worth it."""
        if slot.owner is not None and slot.evaluated > max(slot.saved, _WORTH_MOVING) and self._put(slot, slot.owner):
            slot.saved = slot.evaluated

    def keep_checkpoint(self, slot: Slot) -> None:
        """Put what a sequence holds into the store, beside what its conversation has there."""
        if slot.owner is not None:
            self._put(slot, replace(slot.owner, checkpoint=True))

    def keep_idle(self) -> None:
        """Put everything worth keeping of the sequences nobody is being answered in into the store, and save that."""
        for slot in self._slots.all:
            if not slot.busy:
                self.keep(slot)
        if self._store is not None:
            self._store.save()

    def forget(self, users: set[str]) -> None:
        """Drop what idle sequences and the store hold of these users."""
        for slot in self._slots.all:
            if not slot.busy and slot.owner is not None and slot.owner.user in users:
                self._runner.truncate(slot.seq_id, 0)
                slot.clear()
        if self._store is not None:
            self._store.forget(lambda owner: owner.user in users)

    def _may_use(self, owner: StateOwner) -> Callable[[StateOwner], bool]:
        return lambda other: self._share or other.user in ("", owner.user)

    def _put(self, slot: Slot, owner: StateOwner) -> bool:
        if self._store is None:
            return False
        log = slot.log.copy()
        if log.truncate(slot.evaluated) != slot.evaluated:
            return False
        blob = self._runner.save(slot.seq_id, self._store.take_memory(owner, log))
        self._store.put(StoredState(owner=owner, log=log, blob=blob))
        return True

    def _restore(self, slot: Slot, key: str) -> bool:
        state = self._store.get(key) if self._store else None
        if state is None or len(state.log) > self._runner.n_ctx:
            return False
        if not self._runner.restore(slot.seq_id, state.blob):
            slot.clear()
            return False
        slot.hold(state.log.copy(), len(state.log), len(state.log))
        return True

    def _bring_back(self, slot: Slot, owner: StateOwner, text: bytes) -> None:
        """Restore the conversation's own state, if turns are to be cut out of it."""
        found = self._store.of(owner) if self._store else None
        if found is None or found[1].gap(text) is None:
            return
        self.keep(slot)
        if self._restore(slot, found[0]):
            slot.owner = owner

    def _shift(self, slot: Slot, text: bytes, more_than: int) -> bool:
        """Cut whole turns out of the cache where the prompt has them no more."""
        gap = slot.log.gap(text) if slot.evaluated == len(slot.log) else None
        if gap is None or len(slot.log) - (gap[1] - gap[0]) < more_than + _WORTH_MOVING:
            return False
        if not self._runner.cut(slot.seq_id, *gap):
            return False
        slot.log.cut(*gap)
        slot.hold(slot.log, len(slot.log), 0)
        return True

    def _overwrite(self, slot: Slot, text: bytes) -> int:
        """Continue or replace the log; the last token is always evaluated again, only that gives its logits."""
        cached = self._continue(slot, text)
        if len(slot.log) >= self._runner.n_ctx:
            # The model's own tokens may be more than the tokenizer makes of the same text.
            slot.log = TokenLog()
            cached = self._continue(slot, text)
        if not self._runner.truncate(slot.seq_id, cached):
            cached = 0
        slot.evaluated = cached
        slot.saved = min(slot.saved, cached)
        return cached

    def _continue(self, slot: Slot, text: bytes) -> int:
        vocabulary = self._runner.vocabulary
        match = self._reuse.match(slot.log, text)
        cached = match.reusable(slot.evaluated)
        slot.log.truncate(match.kept)
        slot.log.append_prompt(
            text[match.kept_bytes :],
            ((token, vocabulary.piece(token), vocabulary.is_control(token)) for token in match.rest),
        )
        return cached
