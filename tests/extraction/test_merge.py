"""Answers to the parts of a text, made one."""

from bot.extraction.merge import distinct, merge


def test_values_that_stand_in_the_text_come_first_then_the_most_votes() -> None:
    """An invention does not win by repetition."""
    assert merge([{"a": "x"}, {"a": "y"}, {"a": "y"}], lambda value: value == "x") == {"a": "x"}
    assert merge([{"a": "x"}, {"a": "Y"}, {"a": "y "}], lambda _: True) == {"a": "Y"}
    assert merge([{"a": 1}, {"a": 2}], lambda _: False) == {"a": 1}


def test_null_is_the_last_choice() -> None:
    """A part that says nothing of a field has no vote."""
    assert merge([{"a": None, "b": None}, {"a": 5, "b": None}], lambda _: False) == {"a": 5, "b": None}


def test_records_are_told_apart_by_what_they_say() -> None:
    """Differences in case and spacing are none, and what says less than another is left out, wherever it comes."""
    records = [{"n": "Bob", "p": None}, {"n": "bob ", "p": 3}, {"n": "Ann", "p": 3}, {"n": "BOB", "p": 3}]
    assert distinct(records) == [{"n": "bob ", "p": 3}, {"n": "Ann", "p": 3}]
    assert merge([[1, 2], [2, 3]], lambda _: True) == [1, 2, 3]
