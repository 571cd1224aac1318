"""The date of the machine, which may be wrong and be set right, against time itself."""

import pytest

from bot.ops.calendar import SETTLES_AFTER_LEAP_S, SETTLES_S, Calendar

YEAR = 365 * 24 * 3600.0


class Machine:
    """A date, and the time since it was switched on."""

    def __init__(self) -> None:
        self.date, self.up = 1_800_000_000.0, 100.0
        self.calendar = Calendar(date_s=lambda: self.date, elapsed_s=lambda: self.up)

    def passes(self, seconds: float) -> None:
        """Time goes by."""
        self.date += seconds
        self.up += seconds


def test_the_date_is_relied_on_some_minutes_after_a_start() -> None:
    """A machine without a battery begins with a wrong one, and gets the right one from the network."""
    machine = Machine()
    assert not machine.calendar.is_settled
    machine.passes(SETTLES_S)
    assert machine.calendar.leap_s() == 0
    assert machine.calendar.is_settled


@pytest.mark.parametrize("leap", [YEAR, -YEAR, 3600.0, -3600.0])
def test_a_date_that_was_set_is_relied_on_some_hours_later(leap: float) -> None:
    """In either direction, and it is said once by how much."""
    machine = Machine()
    machine.passes(SETTLES_S)
    machine.date += leap
    assert not machine.calendar.is_settled
    assert machine.calendar.leap_s() == pytest.approx(leap)
    assert machine.calendar.leap_s() == 0
    machine.passes(SETTLES_AFTER_LEAP_S - 1)
    assert not machine.calendar.is_settled
    machine.passes(1)
    assert machine.calendar.is_settled


def test_a_clock_that_is_only_adjusted_has_not_leapt() -> None:
    """Time servers correct by seconds all the time."""
    machine = Machine()
    machine.passes(SETTLES_S)
    machine.date += 5
    assert machine.calendar.leap_s() == 0
    assert machine.calendar.is_settled


def test_the_machine_s_own_clocks_are_read() -> None:
    """Right after a start nothing has leapt, and nothing is settled."""
    calendar = Calendar()
    assert calendar.leap_s() == 0
    assert not calendar.is_settled
    assert calendar.elapsed_s > 0
