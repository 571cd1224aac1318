"""Questions that wait for an answer."""

from bot.chat.confirmations import Confirmations
from tests.support.fake_clock import FakeClock


def test_questions_that_nobody_answers_are_forgotten() -> None:
    """Ten thousand people who ask and leave take no memory after their two minutes."""
    clock = FakeClock()
    confirmations = Confirmations(clock)
    for number in range(10_000):
        confirmations.ask("test", str(number))
    clock.advance(121)
    confirmations.ask("test", "ann")
    assert len(confirmations) == 1
    assert confirmations.take("test", "ann")
    assert not confirmations.take("test", "ann")
