"""A fresh process that starts the engine, writes a reply and says what it took.

python -m benchmarks.cost_child MODEL.gguf SETTINGS_AS_JSON CACHE_DIR
"""

import time

_BEGUN = time.perf_counter()  # before anything of hearthbot is imported

import asyncio  # noqa: E402
import json  # noqa: E402
import sys  # noqa: E402
from dataclasses import asdict, dataclass  # noqa: E402
from pathlib import Path  # noqa: E402

import llama_cpp  # noqa: E402
import psutil  # noqa: E402

from benchmarks.hearthbot import Hearthbot  # noqa: E402
from bot.engine.runner import Runner  # noqa: E402
from bot.settings import EngineSettings  # noqa: E402

_IMPORTED = time.perf_counter()


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryFacts:
    """Bytes and seconds of one process."""

    empty: int
    """Resident before the model is loaded."""
    resident: int
    """After replies in every sequence."""
    model: int
    kv: int
    import_s: float
    start_s: float

    def as_object(self) -> dict[str, float]:
        """Return it for a program."""
        return asdict(self)


async def _measure(model: Path, settings: EngineSettings, cache_dir: Path) -> MemoryFacts:
    process, size = psutil.Process(), model.stat().st_size  # noqa: ASYNC240 - nothing else runs yet
    empty = process.memory_info().rss
    engine = Hearthbot("hearthbot", model, settings, cache_dir)
    started = time.perf_counter()
    await engine.start()
    start_s = time.perf_counter() - started
    await asyncio.gather(*(engine.warm_up() for _ in range(settings.max_parallel)))
    facts = MemoryFacts(
        empty=empty,
        resident=process.memory_info().rss,
        model=size,
        kv=_kv_bytes(engine.engine.model.runner),
        import_s=_IMPORTED - _BEGUN,
        start_s=start_s,
    )
    await engine.stop()
    return facts


def _kv_bytes(runner: Runner) -> int:
    """The K and V of every layer, 16 bits each."""
    model = runner._model
    head = llama_cpp.llama_model_n_embd(model) // llama_cpp.llama_model_n_head(model)
    cell = llama_cpp.llama_model_n_layer(model) * llama_cpp.llama_model_n_head_kv(model) * head * 2 * 2
    return int(cell * runner.params.n_ctx * runner.params.max_parallel)


def main() -> None:
    """Print the facts as a line of JSON."""
    model, settings, cache_dir = sys.argv[1:]
    facts = asyncio.run(_measure(Path(model), EngineSettings.model_validate_json(settings), Path(cache_dir)))
    print(json.dumps(facts.as_object()))


if __name__ == "__main__":
    main()
