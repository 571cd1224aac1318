"""Which conversation gets which sequence."""

import pytest

from bot.engine.slots import Slot, Slots


def filled(slot: Slot, text: bytes) -> None:
    """Let a sequence hold a text of one-letter tokens."""
    slot.log.append_prompt(text, [(letter, bytes((letter,)), False) for letter in text])
    slot.evaluated = len(text)


def test_a_conversation_gets_its_own_sequence_back() -> None:
    """What a conversation evaluated before is where it goes again."""
    slots = Slots(3)
    for name in ("a", "b", "c"):
        slots.release(slots.assign(name))
    assert slots.assign("b").conversation == "b"
    assert [slot.conversation for slot in slots.all] == ["a", "b", "c"]


def test_the_least_recently_used_sequence_is_given_away() -> None:
    """A new conversation displaces the one that was silent longest."""
    slots = Slots(2)
    a, b = slots.assign("a"), slots.assign("b")
    slots.release(b)
    slots.release(a)
    assert slots.assign("c") is b


def test_a_busy_sequence_is_never_given_away() -> None:
    """When all are busy nothing can be assigned; a second request of a busy conversation gets another sequence."""
    slots = Slots(2)
    first = slots.assign("a")
    assert slots.assign("a") is not first
    assert not slots.can_assign()


def test_a_shared_start_is_copied_when_it_pays() -> None:
    """The donor is the sequence that shares most, and only if that is much more than what is there."""
    slots = Slots(3)
    filled(slots.all[0], b"p" * 100 + b"x")
    filled(slots.all[1], b"p" * 40)
    assert slots.donor(slots.all[2], b"p" * 100 + b"y") is slots.all[0]
    assert slots.donor(slots.all[0], b"p" * 100 + b"y") is None
    filled(slots.all[2], b"p" * 90)
    assert slots.donor(slots.all[2], b"p" * 100 + b"y") is None


def test_only_evaluated_tokens_are_worth_copying() -> None:
    """A prompt that is laid out but not evaluated gives nothing."""
    slots = Slots(2)
    filled(slots.all[0], b"p" * 100)
    slots.all[0].evaluated = 10
    assert slots.donor(slots.all[1], b"p" * 100) is None


def test_wrong_books_are_found() -> None:
    """A sequence that holds something else than the books say is reported."""
    slots = Slots(1)
    filled(slots.all[0], b"abc")
    slots.check_integrity(lambda _: 3)
    with pytest.raises(AssertionError, match="3 tokens evaluated by the books, 2 in the context"):
        slots.check_integrity(lambda _: 2)
