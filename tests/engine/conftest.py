"""The real small model, loaded by the real engine."""

from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path

import pytest

from bot.engine.engine import Engine
from bot.engine.runner import Runner
from bot.settings import ModelSettings
from tests.support.real_engine import ENGINE_SETTINGS, Recorder, load_params
from tests.support.tiny_models import WRITERS, Tokenizer


@pytest.fixture(scope="session")
def tiny_models(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    """Files of models whose memory cannot be cut everywhere, by the kind of memory."""
    folder = tmp_path_factory.mktemp("models")
    tokenizer = Tokenizer.of_demo_model()
    return {kind: write(folder / f"{kind}.gguf", tokenizer) for kind, write in WRITERS.items()}


@pytest.fixture
def runner() -> Iterator[Runner]:
    """A loaded model without an engine around it."""
    loaded = Runner(load_params())
    yield loaded
    loaded.close()


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[Engine]:
    """A running engine with four sequences, whose books are checked at the end."""
    started = await Engine.start(ModelSettings(), ENGINE_SETTINGS, cache_dir=tmp_path, notify=lambda _: None)
    yield started
    started.lock.call(started.model.core.check_integrity).result(timeout=60)
    await started.aclose()


@pytest.fixture
def recorder(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Recorder:
    """What the engine does, batch by batch."""
    return Recorder(engine.model.core, monkeypatch)
