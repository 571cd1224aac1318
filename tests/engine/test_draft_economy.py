"""When guesses pay."""

import pytest

from bot.engine.draft_economy import DraftEconomy

MATCHED = 20


def economy(*, step_s: float, token_s: float, chance: float) -> DraftEconomy:
    """One that has seen much of a machine and of texts."""
    made = DraftEconomy()
    for _ in range(100):
        made.measured(drafted=0, seconds=step_s)
        made.measured(drafted=4, seconds=step_s + 4 * token_s)
        made.learned(MATCHED, proposed=100, accepted=round(100 * chance))
        made.learned(MATCHED, proposed=1, accepted=int(chance >= 0.5))
    return made


@pytest.mark.parametrize(
    ("token_s", "chance", "least", "most"),
    [
        (0.002, 0.99, 30, 64),  # memory is the limit, and everything is copied
        (0.01, 0.99, 20, 64),
        (0.06, 0.99, 1, 30),
        (0.11, 0.99, 0, 0),  # a token in a batch takes longer than a step of its own
        (0.002, 0.0, 0, 0),  # nothing ever comes true
    ],
)
def test_what_a_guess_may_have(token_s: float, chance: float, least: int, most: int) -> None:
    """The cheaper a token in a batch and the surer the guess, the longer it is."""
    longest = economy(step_s=0.1, token_s=token_s, chance=chance).longest(MATCHED)
    assert least <= longest <= most


def test_at_first_guesses_are_made() -> None:
    """Nothing would be known of them otherwise."""
    assert DraftEconomy().longest(4) > 0


def test_what_does_not_pay_is_tried_again_now_and_then() -> None:
    """And goes on when it has become cheap."""
    made = economy(step_s=0.1, token_s=0.2, chance=0.9)
    tried = [made.longest(MATCHED) for _ in range(2560)]
    assert 1 <= sum(each > 0 for each in tried) <= 20
    for _ in range(60):
        made.measured(drafted=4, seconds=0.104)
    assert made.longest(MATCHED) > 0


def test_evidence_of_one_kind_says_nothing_of_another() -> None:
    """Short matches that mislead do not stop long ones."""
    made = economy(step_s=0.1, token_s=0.01, chance=0.99)
    for _ in range(60):
        made.learned(4, proposed=1, accepted=0)
    assert made.longest(4) == 0
    assert made.longest(MATCHED) > 10
