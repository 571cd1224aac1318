from datetime import UTC, datetime, timedelta

from bot.adapter_state import AdapterPhase, AdapterState
from bot.ops.alarms import ENOUGH_SPACE, LITTLE_SPACE, LOST_FOR_S, Alarms

NOW = datetime(2026, 12, 24, tzinfo=UTC)
PLENTY = 10 << 30


def telegram(phase: AdapterPhase, *, for_s: float = 0.0, reason: str = "") -> list[AdapterState]:
    """The one adapter, in this phase for so many seconds."""
    return [AdapterState(name="telegram", phase=phase, since=NOW - timedelta(seconds=for_s), reason=reason)]


def test_an_adapter_that_is_lost_is_told_once_and_once_when_it_is_back() -> None:
    """Not with every look, which would be a flood."""
    alarms = Alarms()
    lost = telegram("retrying", for_s=LOST_FOR_S, reason="no network")
    assert alarms.news(lost, PLENTY, NOW) == ["telegram is not connected, and is tried again: no network"]
    assert alarms.news(lost, PLENTY, NOW) == []
    assert alarms.news(telegram("up"), PLENTY, NOW) == ["telegram is back."]
    assert alarms.news(telegram("up"), PLENTY, NOW) == []


def test_a_short_loss_is_not_worth_a_word() -> None:
    """Home connections drop for seconds all the time."""
    alarms = Alarms()
    assert alarms.news(telegram("retrying", for_s=LOST_FOR_S - 1), PLENTY, NOW) == []
    assert alarms.news(telegram("up"), PLENTY, NOW) == []


def test_an_adapter_that_failed_for_good_is_told_at_once() -> None:
    """It waits for the owner."""
    assert Alarms().news(telegram("stopped", reason="the token is wrong"), PLENTY, NOW) == [
        "telegram has stopped: the token is wrong"
    ]


def test_a_console_that_was_left_is_no_loss() -> None:
    """Somebody pressed Ctrl-D."""
    assert Alarms().news(telegram("left", for_s=3600), PLENTY, NOW) == []


def test_a_disk_at_its_limit_does_not_flood_anybody() -> None:
    """It has to become clearly better before it is told again."""
    alarms = Alarms()
    (said,) = alarms.news([], LITTLE_SPACE - 1, NOW)
    assert "499 MiB" in said
    assert alarms.news([], LITTLE_SPACE + 1, NOW) == []
    assert alarms.news([], LITTLE_SPACE - 1, NOW) == []
    assert alarms.news([], ENOUGH_SPACE, NOW) == []
    assert len(alarms.news([], LITTLE_SPACE - 1, NOW)) == 1
