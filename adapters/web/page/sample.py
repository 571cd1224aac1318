"""What the engine did in a few seconds, out of two looks at its counters."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.figures import EngineFigures, RequestFigures
from bot.request import EngineStatus

_MB = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """The counters at one moment."""

    time_s: float
    """Seconds since 1970."""
    figures: EngineFigures
    written: int
    """Tokens of all replies, those under way too."""


def look(time_s: float, figures: EngineFigures, requests: Sequence[RequestFigures]) -> Look:
    """Add what is under way to what has ended."""
    under_way = sum(each.completion_tokens for each in requests)
    return Look(time_s=time_s, figures=figures, written=figures.completion_tokens + under_way)


def sample(before: Look | None, now: Look, status: EngineStatus, memory_mb: float | None) -> dict[str, float | None]:
    """A point of every plot; None where there was nothing to measure."""
    figures = now.figures
    point: dict[str, float | None] = {
        "time": now.time_s,
        "running": status.running,
        "waiting": status.waiting,
        "memory_mb": memory_mb,
        "kv_mb": figures.kv_ram_bytes / _MB,
        "tokens_per_s": None,
        "ttft_s": None,
        "kv_hit_percent": None,
    }
    if before is None:
        return point
    seconds = now.time_s - before.time_s
    replies = figures.replies - before.figures.replies
    read = figures.prompt_tokens - before.figures.prompt_tokens
    if seconds > 0:
        # A request that failed takes what it had written with it.
        point["tokens_per_s"] = max(0, now.written - before.written) / seconds
    if replies:
        point["ttft_s"] = (figures.ttft_ms - before.figures.ttft_ms) / replies / 1000
    if read:
        point["kv_hit_percent"] = 100 * (figures.cached_tokens - before.figures.cached_tokens) / read
    return point
