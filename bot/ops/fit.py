"""Says how many layers of a model fit on the graphics cards, and shows the calculation."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bot.engine.gpu_fit import MIB, CardShare, FitContext, FitRow, GpuFit
from bot.engine.load_params import shares
from bot.engine.model_shape import ModelShape
from bot.settings import EngineSettings

_SIZE = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)\s*([mg])(ib|b)?", re.IGNORECASE)
_UNITS = {"m": 2, "g": 3}


def parse_size(text: str) -> int:
    """Bytes of a size such as 3GiB, 3072MiB, 3G, or 3GB, which is a little less (powers of 1000).

    Raises `ValueError` that says what is allowed.
    """
    match = _SIZE.fullmatch(text.strip())
    size = 0
    if match is not None:
        number, prefix, unit = match.groups()
        base = 1000 if (unit or "").lower() == "b" else 1024
        size = int(float(number) * base ** _UNITS[prefix.lower()])
    if not size:
        raise ValueError(
            f"{text!r} is no size of memory: write a number above 0 with its unit, such as 3GiB or 3072MiB"
        )
    return size


def parse_sizes(text: str) -> tuple[int, ...]:
    """Bytes of one size or of several, such as 3GiB,6GiB. Raises `ValueError` that says what is allowed."""
    return tuple(parse_size(each) for each in text.split(","))


@dataclass(frozen=True, slots=True, kw_only=True)
class FitReport:
    """The choices for a model on cards with `free` bytes of memory, `margin` of which stay unused on each."""

    fit: GpuFit
    context: FitContext
    free: tuple[int, ...]
    margin: int

    @classmethod
    def of(cls, model: ModelShape, engine: EngineSettings, *, free: Sequence[int]) -> "FitReport":
        """Calculate it, for the settings as they are and whatever their `n_gpu_layers`."""
        context = FitContext.of(engine)
        return cls(
            fit=GpuFit.of(model, context, shares(engine, free)),
            context=context,
            free=tuple(free),
            margin=engine.vram_margin_mib * MIB,
        )

    @property
    def recommended(self) -> FitRow:
        """The row to take."""
        return self.fit.best(self.free, self.margin)

    @property
    def fits(self) -> bool:
        """Whether there is the memory for at least one layer."""
        return self.recommended.n_gpu_layers > 0

    def as_object(self) -> dict[str, Any]:
        """Return it for a program; sizes are MiB."""
        row, context = self.recommended, self.context
        return {
            "recommended": {
                **_sizes(row),
                "left_mib": _mib(row.left(self.free)),
                "n_ctx": context.n_ctx,
                "max_parallel": context.max_parallel,
                "type_k": context.type_k,
                "type_v": context.type_v,
                "cards": [
                    {
                        "layers": card.layers,
                        **_parts(card),
                        "vram_mib": _mib(there),
                        "left_mib": _mib(there - card.total),
                    }
                    for there, card in zip(self.free, row.cards, strict=True)
                ],
            },
            "vram_mib": _mib(sum(self.free)),
            "margin_mib": _mib(self.margin),
            "layers": [_sizes(row) for row in self.fit.rows],
        }

    def as_lines(self) -> list[str]:
        """Return the table, with an arrow at the row to take."""
        head = f"{'layers':>8}{'weights':>11}{'KV':>11}{'compute':>11}{'total':>11}{'left':>11}"
        lines = [f"{head}   (MiB)"]
        for row in self.fit.rows:
            sizes = (row.weights, row.kv, row.compute, row.total, row.left(self.free))
            mark = "->" if self.fits and row == self.recommended else ""
            lines.append(f"{mark:<2}{row.n_gpu_layers:>6}{''.join(f'{_mib(size):>11.2f}' for size in sizes)}")
        return [*lines, *self._card_lines()] if self.fits and len(self.free) > 1 else lines

    def _card_lines(self) -> list[str]:
        """What of the row to take is on each card; what is left in the table is that of the fullest one."""
        lines = ["", f"{self.recommended.n_gpu_layers:>8} of them:"]
        for number, (there, card) in enumerate(zip(self.free, self.recommended.cards, strict=True)):
            sizes = (card.weights, card.kv, card.compute, card.total, there - card.total)
            lines.append(f"{card.layers:>8}{''.join(f'{_mib(size):>11.2f}' for size in sizes)}   card {number}")
        return lines


def _sizes(row: FitRow) -> dict[str, float]:
    return {"n_gpu_layers": row.n_gpu_layers, **_parts(row)}


def _parts(of: FitRow | CardShare) -> dict[str, float]:
    return {
        "weights_mib": _mib(of.weights),
        "kv_mib": _mib(of.kv),
        "compute_mib": _mib(of.compute),
        "total_mib": _mib(of.total),
    }


def _mib(size: int) -> float:
    return round(size / MIB, 2)
