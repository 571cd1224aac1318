"""Python's share of a step: the time between two `llama_decode` calls, for 1, 4, 8 and 16 replies in one batch.

Everything that is not inside `llama_decode` counts as Python: scheduling, sampling (native, but asked for from
Python), text, events, and the event loop that competes for the interpreter.

    python benchmarks/step_cost.py [MODEL.gguf]
"""

import asyncio
import itertools
import platform
import statistics
import sys
import tempfile
import time
from pathlib import Path

from bot.engine.engine import Engine
from bot.engine.request import ChatMessage, GenerationDone, GenerationRequest, SamplingParams
from bot.engine.runner import BatchPart
from bot.settings import EngineSettings, ModelSettings

TOKENS = 120
SAMPLING = SamplingParams(temperature=0.7, top_k=40, top_p=0.95, min_p=0.05)


async def measure(model: ModelSettings, parallel: int) -> tuple[float, float]:
    """Median step and median time outside of `llama_decode`, in milliseconds."""
    settings = EngineSettings(n_ctx=1024, max_parallel=parallel, probe="off")
    with tempfile.TemporaryDirectory() as folder:
        engine = await Engine.start(model, settings, cache_dir=Path(folder), notify=print)
        runner = engine.model.core._runner
        decode = runner.decode
        spans: list[tuple[float, float, int]] = []

        def timed(parts: list[BatchPart]) -> dict[int, int]:
            start = time.perf_counter()
            outputs = decode(parts)
            spans.append((start, time.perf_counter(), len(outputs)))
            return outputs

        runner.decode = timed
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

        async def read(request: GenerationRequest) -> GenerationDone:
            return await engine.submit(request).result()

        await asyncio.gather(*map(read, requests))
        await engine.aclose()
    full = [
        (after[0] - before[0], after[0] - before[1])
        for before, after in itertools.pairwise(spans)
        if before[2] == after[2] == parallel
    ]
    return statistics.median(step for step, _ in full) * 1000, statistics.median(gap for _, gap in full) * 1000


def main() -> None:
    """Print the table."""
    model = ModelSettings(path=sys.argv[1]) if len(sys.argv) > 1 else ModelSettings()
    print(f"{platform.machine()}, {platform.processor() or 'unknown CPU'}; {TOKENS} tokens a reply")
    print("| replies | step, ms | outside llama_decode, ms | share |")
    print("|---|---|---|---|")
    for parallel in (1, 4, 8, 16):
        step, gap = asyncio.run(measure(model, parallel))
        print(f"| {parallel} | {step:.1f} | {gap:.2f} | {gap / step:.1%} |")


if __name__ == "__main__":
    main()
