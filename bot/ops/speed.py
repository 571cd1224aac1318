"""How fast a model runs with given parameters."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self


@dataclass(frozen=True, slots=True, kw_only=True)
class Speed:
    """What was measured on one loaded model."""

    history_tokens: int
    """Length of the conversation that was read and is written on."""
    prefill_tokens_per_s: float
    decode_tokens_per_s: Mapping[int, float]
    """Of all together, by the number of replies written at the same time."""
    save_ms: float
    """Copying the conversation's KV state out of the context."""
    restore_ms: float
    """Copying it back."""
    state_bytes: int
    load_s: float

    @property
    def evaluate_ms(self) -> float:
        """Reading the conversation again, which is what restoring it saves."""
        return self.history_tokens * 1000 / self.prefill_tokens_per_s

    def to_json(self) -> dict[str, Any]:
        """A mapping that `from_json` understands."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read what `to_json` wrote, after a round through JSON, where every key is a text."""
        rates = {int(count): rate for count, rate in data["decode_tokens_per_s"].items()}
        return cls(**{**data, "decode_tokens_per_s": rates})
