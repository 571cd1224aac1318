"""One way to run a model, and how fast it was."""

from dataclasses import asdict, dataclass, replace
from typing import Any, Self

from bot.engine.load_params import LoadParams

_TURN_READS = 60
_TURN_WRITES = 150


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Values of the keys that are chosen by measuring."""

    flash_attn: bool | None
    n_threads: int
    n_threads_batch: int
    n_ubatch: int

    @classmethod
    def of(cls, params: LoadParams) -> Self:
        """What `params` have."""
        return cls(
            flash_attn=params.flash_attn,
            n_threads=params.n_threads,
            n_threads_batch=params.n_threads_batch,
            n_ubatch=params.n_ubatch,
        )

    def changed(self, other: "Choice") -> list[str]:
        """Names of the keys in which the two differ."""
        theirs = asdict(other)
        return [key for key, value in asdict(self).items() if theirs[key] != value]

    def put_into(self, params: LoadParams) -> LoadParams:
        """`params` with these values."""
        return replace(params, **asdict(self))


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """What a choice costs, in seconds per token. Serialises to JSON and back."""

    choice: Choice
    read_s: float
    """A token of a new message, behind a history."""
    write_s: float
    """A token of a reply, alone in its step, behind the same history."""
    long_read_s: float | None
    """A token of a long text, behind the same history; None where reading one would take too long."""

    @property
    def turn_s(self) -> float:
        """Seconds of a typical turn."""
        return _TURN_READS * self.read_s + _TURN_WRITES * self.write_s

    def cost(self, key: str) -> float | None:
        """What a value of this key of the choice costs; None for what was not measured."""
        costs = {
            "n_threads": self.write_s,
            "n_threads_batch": self.read_s,
            "n_ubatch": self.long_read_s,
            "flash_attn": self.turn_s,
        }
        return costs[key]

    def __str__(self) -> str:
        """What was chosen and how fast that is, for people."""
        choice = self.choice
        flash = {None: "as llama.cpp likes", False: "off", True: "on"}[choice.flash_attn]
        return (
            f"reads {1 / self.read_s:.3g} and writes {1 / self.write_s:.3g} tokens/s with n_threads "
            f"{choice.n_threads}, n_threads_batch {choice.n_threads_batch}, n_ubatch {choice.n_ubatch}, "
            f"flash attention {flash}"
        )

    def to_json(self) -> dict[str, Any]:
        """A mapping that `from_json` understands."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Read what `to_json` wrote. Raises `TypeError`, `KeyError` or `ValueError` for anything else."""
        measured = cls(**{**data, "choice": Choice(**data["choice"])})
        if not (measured.read_s > 0 and measured.write_s > 0 and (measured.long_read_s or 1) > 0):
            raise ValueError(f"{data} is no measurement")
        return measured
