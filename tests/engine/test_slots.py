"""Who gets which sequence."""

import pytest

from bot.engine.slots import Slot, Slots
from bot.engine.stored_state import StateOwner


def owner(name: str) -> StateOwner:
    """A user with one conversation."""
    return StateOwner(conversation=name, user=name)


def assigned(slots: Slots, name: str) -> Slot:
    """Give a sequence to a conversation, which lays out its prompt there."""
    slot = slots.assign(name)
    slot.owner = owner(name)
    return slot


def filled(slot: Slot, text: bytes) -> None:
    """Let a sequence hold a text of one-letter tokens."""
    slot.owner = owner("somebody")
    slot.log.append_prompt(text, [(letter, bytes((letter,)), False) for letter in text])
    slot.evaluated = len(text)


def test_a_conversation_gets_its_own_sequence_back() -> None:
    """What a conversation evaluated before is where it goes again."""
    slots = Slots(3)
    for slot in [assigned(slots, name) for name in ("a", "b", "c")]:
        slots.release(slot)
    assert slots.assign("b") is slots.all[1]


def test_the_least_recently_used_sequence_is_given_away() -> None:
    """A new conversation displaces the one that was silent longest."""
    slots = Slots(2)
    a, b = assigned(slots, "a"), assigned(slots, "b")
    slots.release(b)
    slots.release(a)
    assert slots.assign("c") is b


def test_a_busy_sequence_is_never_given_away() -> None:
    """When all are busy nothing can be assigned; a second request of a busy conversation gets another sequence."""
    slots = Slots(2)
    first = assigned(slots, "a")
    assert assigned(slots, "a") is not first
    assert not slots.can_assign()


def test_the_donor_is_the_sequence_that_shares_most() -> None:
    """Of all sequences the one with the longest common start is found, the target itself on a tie."""
    slots = Slots(3)
    filled(slots.all[0], b"p" * 100 + b"x")
    filled(slots.all[1], b"p" * 40)
    text = b"p" * 100 + b"y"

    def usable(slot: Slot) -> int:
        return slot.log.common_tokens(text)

    assert slots.donor(slots.all[2], usable) == (slots.all[0], 100)
    filled(slots.all[2], b"p" * 100)
    assert slots.donor(slots.all[2], usable) == (slots.all[2], 100)


def test_a_checkpoint_ends_a_batch() -> None:
    """Tokens up to a checkpoint are read first, and the rest behind it."""
    (slot,) = Slots(1).all
    filled(slot, b"abcdef")
    slot.evaluated, slot.checkpoint = 1, 4
    assert slot.readable == 3
    slot.evaluated = 4
    assert slot.readable == 2
    slot.clear()
    assert slot.checkpoint == 0


def test_wrong_books_are_found() -> None:
    """A sequence that holds something else than the books say is reported."""
    slots = Slots(1)
    filled(slots.all[0], b"abc")
    slots.check_integrity(lambda _: 3)
    with pytest.raises(AssertionError, match="3 tokens evaluated by the books, 2 in the context"):
        slots.check_integrity(lambda _: 2)
