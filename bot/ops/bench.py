"""Measures what an owner may want to know before changing a key: this box, this model, these settings, and others."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bot.engine.child import run_child
from bot.engine.cpu import logical_cpus, physical_cores
from bot.engine.engine import Engine
from bot.engine.load_gauge import LoadGauge
from bot.engine.load_params import LoadParams
from bot.ops.speed import Speed
from bot.paths import Paths
from bot.settings import Configuration

CHILD = (sys.executable, "-m", "bot.ops.bench_child")
CHILD_LIMIT_S = 900.0
MEASURED_PARALLEL = 4
MEASURED_CTX = 1024
"""Longer than the measured conversation; what is behind it is not read and costs no time."""
FLOAT_TYPES = frozenset({"f32", "f16", "bf16"})
AS_CONFIGURED = "as configured"


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """Parameters that are measured."""

    name: str
    """What differs from the configuration, as it would be written there."""
    params: LoadParams


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A variant and how fast it is."""

    variant: Variant
    speed: Speed | None
    """None where the model does not run like that."""
    failure: str = ""
    others: float = 0.0
    """Share of the CPUs' time that other programs took meanwhile, 0 to 1."""

    def as_object(self) -> dict[str, Any]:
        """Return it for a program."""
        speed = self.speed.to_json() if self.speed else None
        return {"settings": self.variant.name, "speed": speed, "failure": self.failure, "others": self.others}


class Bench:
    """One variant after another, each in a process of its own."""

    def __init__(self, *, paths: Paths, notify: Callable[[str], None], child: Sequence[str] = CHILD) -> None:
        """`notify` gets a line about each slow step; `child` measures the parameters it gets on standard input."""
        self._paths = paths
        self._notify = notify
        self._child = tuple(child)

    async def configured(self, settings: Configuration) -> LoadParams:
        """How the daemon would load the model here. Raises `ModelLoadError`."""
        # The KV states on disk are the daemon's, which may be running.
        alone = settings.engine.model_copy(update={"kv_ram_mb": 0, "kv_disk_mb": 0})
        engine = await Engine.start(settings.model, alone, cache_dir=self._paths.cache, notify=self._notify)
        try:
            return engine.model.runner.params
        finally:
            await engine.aclose()

    async def measure(self, variants: Sequence[Variant]) -> AsyncIterator[Measured]:
        """Yield what was measured, in order."""
        for variant in variants:
            yield await asyncio.to_thread(self._measure, variant)

    def _measure(self, variant: Variant) -> Measured:
        gauge = LoadGauge()
        outcome = run_child(self._child, variant.params.to_json(), timeout_s=CHILD_LIMIT_S)
        if outcome.failure:
            return Measured(variant=variant, speed=None, failure=outcome.failure)
        speed = Speed.from_json(json.loads(outcome.output.splitlines()[-1]))
        return Measured(variant=variant, speed=speed, others=gauge.others())


def variants_of(configured: LoadParams) -> tuple[Variant, ...]:
    """The configuration, then what differs from it in one thing."""
    base = replace(configured, max_parallel=MEASURED_PARALLEL, n_ctx=min(configured.n_ctx, MEASURED_CTX))
    return (Variant(name=AS_CONFIGURED, params=base), *_others(base))


def _others(base: LoadParams) -> Iterator[Variant]:
    for threads in sorted({physical_cores(), logical_cpus(), max(1, physical_cores() // 2)} - {base.n_threads}):
        params = replace(base, n_threads=threads, n_threads_batch=threads)
        yield Variant(name=f"n_threads: {threads}", params=params)
    for size in (128, 256, 512):
        if size <= base.n_batch and size != base.n_ubatch:
            yield Variant(name=f"n_ubatch: {size}", params=replace(base, n_ubatch=size))
    if base.type_v in FLOAT_TYPES:
        turned = base.flash_attn is False
        yield Variant(name=f"flash_attn: {str(turned).lower()}", params=replace(base, flash_attn=turned))
    if base.type_k != "q8_0" or base.type_v != "q8_0":
        yield Variant(
            name="type_k: q8_0, type_v: q8_0", params=replace(base, type_k="q8_0", type_v="q8_0", flash_attn=True)
        )
