"""What the engine does and did, in numbers. All are immutable."""

from dataclasses import dataclass
from typing import Literal

RequestState = Literal["waiting", "reading", "writing"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineFigures:
    """Counters grow as long as the daemon runs; the rest is as of now."""

    prefill_tokens_per_s: float | None
    """How fast prompts are read; None before the first measurement."""
    decode_tokens_per_s: float | None
    """How fast replies are written, all together; None before the first measurement."""
    kv_ram_bytes: int
    """KV states of conversations that gave up their sequence, in memory."""
    kv_disk_bytes: int
    """The same, in files."""
    kv_entries: int
    """How many such states there are."""
    replies: int
    """Requests that ended without an error, cancelled ones too."""
    failures: int
    """Requests that ended with an error."""
    prompt_tokens: int
    cached_tokens: int
    """The part of `prompt_tokens` that was not evaluated again."""
    cache_hits: int
    """Replies some of whose prompt was not evaluated again."""
    completion_tokens: int
    ttft_ms: float
    """Milliseconds from submission to the first token, of all `replies` together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryFigures:
    """Answers on their way to people. Counters grow as long as the daemon runs; the rest is as of now."""

    under_way: int
    """Messages whose answer somebody works on."""
    late_chats: int
    """Chats in which an answer did not get through, and is tried again."""
    delivered: int
    dropped: int
    """Answers that nobody will see any more: too old, or their chat is gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestFigures:
    """One request that is in the engine."""

    request_id: int
    """For `Engine.cancel`."""
    user: str
    conversation: str | None
    state: RequestState
    position: int | None
    """Place in the line, 1 is next; None for those that are served, or not in the line yet."""
    prompt_tokens: int
    """0 until it is known."""
    completion_tokens: int
