"""Where the time of a step goes, for a number of replies in one batch."""

import asyncio
import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Self

import llama_cpp

from benchmarks.hearthbot import Hearthbot
from bot.request import ChatMessage, GenerationDone, GenerationRequest, SamplingParams
from bot.settings import EngineSettings

TOKENS = 120
SAMPLING = SamplingParams(temperature=0.7, top_k=40, top_p=0.95, min_p=0.05, seed=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class StepCost:
    """Medians in milliseconds."""

    step_ms: float
    decode_ms: float
    sampling_ms: float
    """Inside llama.cpp's samplers, all replies together."""
    python_ms: float
    """All the rest: scheduling, text, events, and the event loop that competes for the interpreter."""

    @property
    def share(self) -> float:
        """Python's part of a step, 0 to 1."""
        return self.python_ms / self.step_ms


class _Clock:
    """Times the calls into llama.cpp."""

    def __init__(self) -> None:
        self.decodes: list[tuple[float, float, float]] = []
        """Start and end of each `llama_decode`, and the sampling before it, in seconds."""
        self._sampling = 0.0
        self._originals = {name: getattr(llama_cpp, name) for name in ("llama_decode", "llama_sampler_sample")}

    def __enter__(self) -> Self:
        vars(llama_cpp).update(
            llama_decode=self._decode(self._originals["llama_decode"]),
            llama_sampler_sample=self._sample(self._originals["llama_sampler_sample"]),
        )
        return self

    def __exit__(self, *_: object) -> None:
        vars(llama_cpp).update(self._originals)

    def _decode(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*arguments: Any) -> Any:
            started = time.perf_counter()
            result = call(*arguments)
            self.decodes.append((started, time.perf_counter(), self._sampling))
            self._sampling = 0.0
            return result

        return timed

    def _sample(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*arguments: Any) -> Any:
            started = time.perf_counter()
            result = call(*arguments)
            self._sampling += time.perf_counter() - started
            return result

        return timed


async def measure_steps(model: Path, settings: EngineSettings) -> StepCost:
    """Let as many replies as there are sequences be written together, and look at the steps that had them all."""
    parallel = settings.max_parallel
    contender = Hearthbot("hearthbot", model, settings)
    requests = [
        GenerationRequest(
            messages=(ChatMessage(role="user", content=f"Write a long story about the number {user}."),),
            user=str(user),
            conversation=str(user),
            max_tokens=TOKENS,
            sampling=SAMPLING,
        )
        for user in range(parallel)
    ]
    with _Clock() as clock:
        async with contender:
            full: list[int] = []
            decode = contender.engine.model.runner.decode

            def counting(parts: Any) -> dict[int, int]:
                outputs = decode(parts)
                if len(parts) == len(outputs) == parallel and sum(len(part.tokens) for part in parts) == parallel:
                    full.append(len(clock.decodes) - 1)
                return outputs

            vars(contender.engine.model.runner)["decode"] = counting

            async def read(request: GenerationRequest) -> GenerationDone:
                return await contender.engine.submit(request).result()

            await asyncio.gather(*map(read, requests))
    spans = [
        (clock.decodes[one], clock.decodes[next_one])
        for one, next_one in itertools.pairwise(full)
        if next_one == one + 1
    ]
    return StepCost(
        step_ms=median(after[0] - before[0] for before, after in spans) * 1000,
        decode_ms=median(before[1] - before[0] for before, _ in spans) * 1000,
        sampling_ms=median(after[2] for _, after in spans) * 1000,
        python_ms=median(after[0] - before[1] - after[2] for before, after in spans) * 1000,
    )
