"""Points in time as the database keeps them: whole milliseconds since 1970 in UTC."""

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def now_ms() -> int:
    """The wall clock."""
    return to_ms(datetime.now(UTC))


def to_ms(time: datetime) -> int:
    """Of an aware time."""
    return (time - _EPOCH) // _MILLISECOND


def from_ms(value: int) -> datetime:
    """Exact, unlike a conversion through a float of seconds."""
    return _EPOCH + value * _MILLISECOND
