from collections.abc import Sequence
from datetime import UTC, datetime

from bot.adapter_state import AdapterPhase, AdapterState
from bot.ops.alarms import ENOUGH_SPACE, LITTLE_SPACE, LOST_FOR_S, Alarms

PLENTY = 10 << 30


def telegram(phase: AdapterPhase, reason: str = "") -> list[AdapterState]:
    """The one adapter, with a state that has just been noted."""
    return [AdapterState(name="telegram", phase=phase, since=datetime.now(UTC), reason=reason)]


def news(
    alarms: Alarms,
    adapters: Sequence[AdapterState] = (),
    *,
    at_s: float = 0.0,
    free: int = PLENTY,
    damaged: bool = False,
) -> list[str]:
    """One look."""
    return alarms.news(adapters, free=free, damaged=damaged, elapsed_s=at_s)


def test_an_adapter_that_is_lost_is_told_once_and_once_when_it_is_back() -> None:
    """Not with every look, which would be a flood; that every attempt notes its state anew does not put it off."""
    alarms = Alarms()
    lost = "telegram is not connected, and is tried again: no network"
    assert news(alarms, telegram("retrying", "no network"), at_s=1000) == []
    assert news(alarms, telegram("retrying", "no network"), at_s=1000 + LOST_FOR_S) == [lost]
    assert news(alarms, telegram("retrying", "no network"), at_s=2000) == []
    assert news(alarms, telegram("up"), at_s=3000) == ["telegram is back."]
    assert news(alarms, telegram("up"), at_s=4000) == []


def test_short_losses_are_not_worth_a_word() -> None:
    """Home connections drop for seconds all the time, and each counts by itself."""
    alarms = Alarms()
    for at_s in (0.0, 100.0, 200.0):
        assert news(alarms, telegram("retrying"), at_s=at_s) == []
        assert news(alarms, telegram("retrying"), at_s=at_s + LOST_FOR_S - 1) == []
        assert news(alarms, telegram("up"), at_s=at_s + LOST_FOR_S) == []


def test_an_adapter_that_failed_for_good_is_told_at_once() -> None:
    """It waits for the owner."""
    assert news(Alarms(), telegram("stopped", "the token is wrong")) == ["telegram has stopped: the token is wrong"]


def test_a_console_that_was_left_is_no_loss() -> None:
    """Somebody pressed Ctrl-D."""
    alarms = Alarms()
    assert [news(alarms, telegram("left"), at_s=at_s) for at_s in (0.0, 3600.0)] == [[], []]


def test_a_disk_at_its_limit_does_not_flood_anybody() -> None:
    """It has to become clearly better before it is told again."""
    alarms = Alarms()
    (said,) = news(alarms, free=LITTLE_SPACE - 1)
    assert "499 MiB" in said
    assert news(alarms, free=LITTLE_SPACE + 1) == []
    assert news(alarms, free=LITTLE_SPACE - 1) == []
    assert news(alarms, free=ENOUGH_SPACE) == []
    assert len(news(alarms, free=LITTLE_SPACE - 1)) == 1


def test_damage_is_told_once() -> None:
    """With what to do about it."""
    alarms = Alarms()
    (said,) = news(alarms, damaged=True)
    assert "Restart me" in said
    assert news(alarms, damaged=True) == []
