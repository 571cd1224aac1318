"""What the engine itself costs: Python's share of a step, memory, and the time a start takes."""

import asyncio
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from benchmarks.cost_child import MemoryFacts
from benchmarks.report import Plot, Reach, Report
from benchmarks.setup import Setup
from benchmarks.step_cost import StepCost, measure_steps

SEQUENCES = (1, 4, 8, 16)
N_CTX = 1024
GOAL_AT = 8


async def measure(setup: Setup) -> Report:
    """Steps in this process; memory and start in a fresh one."""
    steps: dict[int, StepCost] = {}
    for parallel in SEQUENCES:
        settings = setup.settings(n_ctx=N_CTX, parallel=parallel)
        runs = [await measure_steps(setup.model, settings) for _ in range(setup.runs)]
        steps[parallel] = sorted(runs, key=lambda run: run.share)[len(runs) // 2]
        setup.say(f"cost: {parallel} sequences")
    memory = await _memory(setup)
    setup.say("cost: memory and start")
    return Report(
        name="cost",
        title="Cost: what is not the model",
        about=_about(memory),
        header=("sequences", "step, ms", "llama_decode, ms", "sampling, ms", "Python, ms", "Python's share"),
        rows=[
            (
                str(parallel),
                f"{cost.step_ms:.1f}",
                f"{cost.decode_ms:.1f}",
                f"{cost.sampling_ms:.2f}",
                f"{cost.python_ms:.2f}",
                f"{cost.share:.1%}",
            )
            for parallel, cost in steps.items()
        ],
        reaches=[
            Reach(
                what=f"Python's share at {GOAL_AT} sequences", figure=steps[GOAL_AT].share * 100, limit=3.0, unit=" %"
            )
        ],
        plot=Plot(
            x_label="sequences",
            y_label="Python's share of a step, %",
            series={"hearthbot": [cost.share * 100 for cost in steps.values()]},
            x=list(steps),
        ),
        raw={
            "steps": {
                str(parallel): {"step_ms": cost.step_ms, "python_ms": cost.python_ms, "sampling_ms": cost.sampling_ms}
                for parallel, cost in steps.items()
            },
            "memory": [facts.as_object() for facts in memory],
        },
    )


def _about(memory: Sequence[MemoryFacts]) -> str:
    facts = memory[-1]
    beyond = facts.resident - facts.model - facts.kv
    return (
        "Replies of 120 tokens, sampled (temperature 0.7, top_k 40, top_p 0.95, min_p 0.05). Python's is all of a step "
        "that is neither `llama_decode` nor llama.cpp's sampling. "
        f"A fresh process with {GOAL_AT} sequences of {N_CTX} tokens has {_mib(facts.resident)} resident after replies "
        f"in all of them, {_mib(beyond)} more than the model file ({_mib(facts.model)}) and the KV cache "
        f"({_mib(facts.kv)}); {_mib(facts.empty)} of that are Python and its modules before the model is loaded. "
        f"The engine is ready {median(each.start_s for each in memory[1:]):.2f} s after it is asked to start; the "
        f"first start with a model, which also tries it in a child process, takes {memory[0].start_s:.2f} s; the "
        f"imports of Python take {median(each.import_s for each in memory):.2f} s."
    )


def _mib(size: int) -> str:
    return f"{size / 2**20:.0f} MiB"


async def _memory(setup: Setup) -> list[MemoryFacts]:
    """The first process probes the model, the others find its answer."""
    settings = setup.settings(n_ctx=N_CTX, parallel=GOAL_AT)
    found = []
    with tempfile.TemporaryDirectory(prefix="hearthbot-bench-") as folder:
        for _ in range(1 + setup.runs):
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "benchmarks.cost_child",
                str(setup.model),
                settings.model_dump_json(exclude_unset=True),
                folder,
                cwd=Path(__file__).parent.parent,
                stdout=asyncio.subprocess.PIPE,
            )
            output, _ = await process.communicate()
            found.append(MemoryFacts(**json.loads(output.splitlines()[-1])))
    return found
