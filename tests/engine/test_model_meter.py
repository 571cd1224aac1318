"""The real model is measured within a budget."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import llama_cpp
import pytest

from bot.engine.batch import BatchPart
from bot.engine.measurement import Choice
from bot.engine.model_meter import ModelMeter
from bot.engine.runner import Runner
from bot.engine.tuning import search
from bot.errors import ModelLoadError
from bot.settings import EngineSettings
from tests.support.real_engine import load_params

SETTINGS = EngineSettings(n_ctx=128, max_parallel=1, n_batch=32, n_threads=1)
PARAMS = replace(load_params(SETTINGS), use_extra_bufts=False)


@pytest.fixture
def runner() -> Iterator[Runner]:
    """A model with a small window."""
    loaded = Runner(PARAMS)
    yield loaded
    loaded.close()


def second_by_second() -> Callable[[], float]:
    """A clock that is read once a second: whatever is measured takes one, on a busy machine too."""
    seconds = iter(range(1_000_000))
    return lambda: float(next(seconds))


def test_every_key_can_be_measured(runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    """With time enough each key can be varied, the threads being set before anything is computed."""
    threads: list[tuple[int, int]] = []
    # several threads wait long for each other on a busy machine, so they are only asked for here
    monkeypatch.setattr(runner, "set_threads", lambda *counts: threads.append(counts))
    meter = ModelMeter(runner, budget_s=60, clock=second_by_second())
    best = meter.first()
    assert best.choice == Choice.of(PARAMS)
    assert best.long_read_s is not None
    for other in (
        replace(best.choice, n_threads=best.choice.n_threads + 1),
        replace(best.choice, n_threads_batch=best.choice.n_threads_batch + 1),
        replace(best.choice, n_ubatch=16),
        replace(best.choice, flash_attn=True),
    ):
        measured = meter.measure(other, best)
        assert measured is not None
        assert measured.choice == other
        assert min(measured.read_s, measured.write_s, measured.long_read_s or 0) > 0
    assert threads == [(2, 1), (1, 2), (1, 1)]
    assert runner.params.flash_attn is True


def test_little_time_is_for_the_defaults_only(runner: Runner) -> None:
    """Without any time the defaults are measured with few tokens, a long text not at all, and nothing else is."""
    meter = ModelMeter(runner, budget_s=1, clock=second_by_second())
    (only,) = search(PARAMS, meter, cores=2, cpus=2)
    assert only.read_s == 1 / 8
    assert only.write_s == 1
    assert only.long_read_s is None
    assert runner.length(0) == 8 + 3


def test_a_memory_that_cannot_be_cut_is_read_again(runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where going back to the history empties the sequence, the history is read again before the next figure."""
    truncate = runner.truncate
    monkeypatch.setattr(runner, "truncate", lambda seq_id, length: truncate(seq_id, 0) and length == 0)
    meter = ModelMeter(runner, budget_s=1, clock=second_by_second())
    meter.first()
    assert runner.length(0) == 8 + 3


def test_a_context_that_cannot_be_had_is_no_choice(runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    """When there is no memory for it, flash attention is not measured."""
    meter = ModelMeter(runner, budget_s=1)
    best = meter.first()

    def reopen(_params: object) -> None:
        raise ModelLoadError("no memory")

    monkeypatch.setattr(runner, "reopen", reopen)
    assert meter.measure(replace(best.choice, flash_attn=True), best) is None


def test_a_context_takes_other_threads_and_other_settings(runner: Runner) -> None:
    """Threads change at once; a new context is empty and decodes with its own settings."""
    runner.set_threads(3, 2)
    assert llama_cpp.llama_n_threads(runner._context) == 3
    assert llama_cpp.llama_n_threads_batch(runner._context) == 2
    runner.set_threads(1, 1)
    runner.decode([BatchPart(seq_id=0, position=0, tokens=[1, 2], wants_logits=True)])
    runner.reopen(replace(PARAMS, flash_attn=True, n_ubatch=16))
    assert llama_cpp.llama_n_threads(runner._context) == 1
    assert llama_cpp.llama_n_ubatch(runner._context) == 16
    assert runner.length(0) == 0
    assert runner.decode([BatchPart(seq_id=0, position=0, tokens=[1, 2], wants_logits=True)]) == {0: 1}
