"""The points of the plots are what happened between two looks."""

from typing import Any

from adapters.web.page.sample import look, sample
from bot.figures import EngineFigures, RequestFigures
from bot.request import EngineStatus

STATUS = EngineStatus(model="m", running=1, waiting=2, max_parallel=2, n_ctx=100)


def figures(**changed: Any) -> EngineFigures:
    """Counters."""
    known: dict[str, Any] = dict.fromkeys(
        ("kv_ram_bytes", "kv_disk_bytes", "kv_entries", "replies", "failures", "prompt_tokens", "cached_tokens"), 0
    )
    rates = {"prefill_tokens_per_s": None, "decode_tokens_per_s": None}
    return EngineFigures(**{**known, **rates, "cache_hits": 0, "completion_tokens": 0, "ttft_ms": 0.0, **changed})


def writing(tokens: int) -> RequestFigures:
    """A request under way."""
    return RequestFigures(
        request_id=1,
        user="u",
        conversation=None,
        state="writing",
        position=None,
        prompt_tokens=9,
        completion_tokens=tokens,
    )


def test_rates_are_of_the_time_between() -> None:
    """A reply that goes on counts while it is written, and once when it has ended; the rest is of what ended."""
    first = look(100.0, figures(completion_tokens=50), [writing(10)])
    ended = figures(
        completion_tokens=80,
        replies=2,
        ttft_ms=3000.0,
        prompt_tokens=200,
        cached_tokens=150,
        kv_ram_bytes=5_000_000,
    )
    point = sample(first, look(105.0, ended, [writing(0)]), STATUS, 321.0)
    assert point == {
        "time": 105.0,
        "running": 1,
        "waiting": 2,
        "memory_mb": 321.0,
        "kv_mb": 5.0,
        "tokens_per_s": 4.0,
        "ttft_s": 1.5,
        "kv_hit_percent": 75.0,
    }


def test_nothing_is_made_up() -> None:
    """Without an earlier look, or without a reply, there is no figure; a failure makes no rate below zero."""
    first = look(0.0, figures(), [writing(10)])
    assert sample(None, first, STATUS, None)["tokens_per_s"] is None
    point = sample(first, look(5.0, figures(failures=1), []), STATUS, None)
    assert (point["tokens_per_s"], point["ttft_s"], point["kv_hit_percent"]) == (0, None, None)
