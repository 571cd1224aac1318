"""The real small model, loaded by the real engine."""

from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path

import llama_cpp
import pytest

from bot.engine.engine import Engine
from bot.engine.grammar import Grammar
from bot.engine.llama_log import route_llama_log
from bot.engine.runner import Runner
from bot.engine.vocabulary import Vocabulary
from bot.settings import ModelSettings
from tests.support.real_engine import ENGINE_SETTINGS, Recorder, demo_model, load_params
from tests.support.tiny_models import WRITERS, Tokenizer


@pytest.fixture(scope="session")
def tiny_models(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    """Files of models whose memory cannot be cut everywhere, by the kind of memory."""
    folder = tmp_path_factory.mktemp("models")
    tokenizer = Tokenizer.of_demo_model()
    return {kind: write(folder / f"{kind}.gguf", tokenizer) for kind, write in WRITERS.items()}


@pytest.fixture(scope="module")
def vocabulary() -> Iterator[Vocabulary]:
    """The demo model's tokens, without its weights."""
    route_llama_log()
    params = llama_cpp.llama_model_default_params()
    params.vocab_only = True
    model = llama_cpp.llama_model_load_from_file(str(demo_model()).encode(), params)
    yield Vocabulary(model)
    llama_cpp.llama_model_free(model)


@pytest.fixture(scope="module")
def grammar(vocabulary: Vocabulary) -> Grammar:
    """A compiler for the demo model."""
    return Grammar(vocabulary)


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
