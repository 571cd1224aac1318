"""The low-level calls, on the real model."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from bot.engine.batch import BatchPart
from bot.engine.runner import NoCellsError, Runner
from bot.engine.sampler import Sampler
from bot.errors import InvalidRequestError, ModelLoadError
from bot.request import SamplingParams
from bot.settings import EngineSettings
from tests.support.real_engine import load_params
from tests.support.tiny_models import WINDOW


def prompt(
    runner: Runner, text: str = "<|im_start|>user\nName a colour.<|im_end|>\n<|im_start|>assistant\n"
) -> list[int]:
    """A short prompt."""
    return runner.vocabulary.tokenize(text.encode())


def test_logits_do_not_depend_on_the_sequence_or_on_company(runner: Runner) -> None:
    """The same tokens give the same logits in any sequence, beside others, and after a cut or a copy."""
    tokens = prompt(runner)
    outputs = runner.decode([BatchPart(seq_id=0, position=0, tokens=tokens, wants_logits=True)])
    alone = runner.logits(outputs[0])
    batch = [BatchPart(seq_id=seq_id, position=0, tokens=tokens, wants_logits=True) for seq_id in (1, 2)]
    outputs = runner.decode(batch)
    for seq_id in (1, 2):
        assert np.abs(runner.logits(outputs[seq_id]) - alone).max() < 0.1
    runner.copy(1, 3)
    assert runner.truncate(3, len(tokens) - 4)
    part = BatchPart(seq_id=3, position=len(tokens) - 4, tokens=tokens[-4:], wants_logits=True)
    copied = runner.logits(runner.decode([part])[3])
    assert np.sqrt(np.square(copied - alone).mean()) < 0.1 * alone.std()
    assert [runner.length(seq_id) for seq_id in range(4)] == [len(tokens)] * 4


def test_a_state_is_saved_into_memory_that_fits(runner: Runner) -> None:
    """It is the same state wherever it lies; memory that is too small, or far too large, is left alone."""
    tokens = prompt(runner)
    runner.decode([BatchPart(seq_id=0, position=0, tokens=tokens, wants_logits=False)])
    fresh = runner.save(0)
    size = fresh.nbytes
    fits, small, large = (np.zeros(nbytes, dtype=np.uint8) for nbytes in (size + 100, size - 1, 3 * size))
    again = runner.save(0, fits)
    assert np.array_equal(again, fresh)
    assert np.array_equal(fits[:size], fresh)
    assert runner.restore(1, again)
    assert runner.length(1) == len(tokens)
    for other in (small, large):
        assert np.array_equal(runner.save(0, other), fresh)
        assert not other.any()


SMALL = EngineSettings(n_ctx=512, max_parallel=2)


@pytest.mark.parametrize("kind", ["recurrent", "hybrid"])
def test_a_memory_that_is_one_state_is_kept_whole_or_emptied(tiny_models: Mapping[str, Path], kind: str) -> None:
    """It can be saved, restored and copied whole, and never cut, though the library says it could be shifted."""
    runner = Runner(load_params(SMALL, tiny_models[kind]))
    tokens = prompt(runner)
    assert not runner.can_cut
    assert runner.needs_checkpoints
    runner.decode([BatchPart(seq_id=0, position=0, tokens=tokens, wants_logits=False)])
    blob = runner.save(0)
    assert not runner.cut(0, 2, 5)
    assert runner.truncate(0, len(tokens))
    assert runner.length(0) == len(tokens)
    assert not runner.can_truncate(0, len(tokens) - 1)
    assert not runner.truncate(0, len(tokens) - 1)
    assert runner.length(0) == 0
    assert runner.restore(0, blob)
    runner.copy(0, 1)
    runner.decode([BatchPart(seq_id=1, position=len(tokens), tokens=tokens[:3], wants_logits=False)])
    assert [runner.length(seq_id) for seq_id in (0, 1)] == [len(tokens), len(tokens) + 3]
    runner.close()


def test_a_sliding_window_can_be_cut_until_it_was_away(tiny_models: Mapping[str, Path]) -> None:
    """A sequence keeps all its cells while it grows; a saved state has those of the last window only."""
    runner = Runner(load_params(SMALL, tiny_models["sliding window"]))
    tokens = prompt(runner, "one two three four five six seven eight nine ten " * 12)[:100]
    assert runner.can_cut
    assert runner.needs_checkpoints
    runner.decode([BatchPart(seq_id=0, position=0, tokens=tokens, wants_logits=False)])
    assert runner.can_truncate(0, 10)
    runner.restore(1, runner.save(0))
    assert [runner.can_truncate(1, length) for length in (100, 99, 10)] == [True, False, False]
    assert [runner.can_truncate_saved(100, length) for length in (100, 99, 10)] == [True, False, False]
    assert runner.truncate(0, WINDOW)
    runner.restore(1, runner.save(0))
    assert runner.can_truncate(1, 10)
    assert runner.can_truncate_saved(WINDOW, 10)
    runner.close()


@pytest.mark.parametrize("kind", ["recurrent", "hybrid", "sliding window"])
def test_the_tiny_models_remember(tiny_models: Mapping[str, Path], kind: str) -> None:
    """One other token, a hundred before, shows in the logits: what the tests of reuse rely on."""
    runner = Runner(load_params(SMALL, tiny_models[kind]))
    tokens = prompt(runner, "one two three four five six seven eight nine ten " * 12)[:110]
    other = tokens[:10] + prompt(runner, " elephant")[:1] + tokens[11:]
    parts = [
        BatchPart(seq_id=seq_id, position=0, tokens=each, wants_logits=True)
        for seq_id, each in enumerate((tokens, other))
    ]
    outputs = runner.decode(parts)
    one, two = (runner.logits(outputs[seq_id]) for seq_id in (0, 1))
    assert np.sqrt(np.square(one - two).mean()) > 0.002 * one.std()
    runner.close()


def test_a_full_sequence_is_reported_and_nothing_changes() -> None:
    """More tokens than the window are refused by the context, which stays as it was."""
    runner = Runner(load_params(EngineSettings(n_ctx=256, n_batch=128, n_ubatch=128)))
    for start in (0, 128):
        runner.decode([BatchPart(seq_id=0, position=start, tokens=[1] * 128, wants_logits=False)])
    with pytest.raises(NoCellsError):
        runner.decode([BatchPart(seq_id=0, position=256, tokens=[1], wants_logits=True)])
    assert runner.length(0) == 256
    runner.close()


def test_pieces_join_to_the_text(runner: Runner) -> None:
    """Tokenizing and joining the pieces gives the text back, control tokens and all."""
    text = "<|im_start|>user\nGrüße, 你好 👋🏽\x00\t ok<|im_end|>\n".encode()
    vocabulary = runner.vocabulary
    tokens = vocabulary.tokenize(text)
    assert b"".join(map(vocabulary.piece, tokens)) == text
    assert vocabulary.is_control(tokens[0])
    assert "<|im_end|>" in vocabulary.control_texts


def test_lora_that_is_missing_is_named() -> None:
    """A LoRA adapter that is not there is a clear error, and nothing stays loaded."""
    params = load_params(EngineSettings(n_ctx=256))
    broken = type(params).from_json({**params.to_json(), "lora": [["/nonexistent.gguf", 1.0]]})
    with pytest.raises(ModelLoadError, match=r"/nonexistent\.gguf: no such file"):
        Runner(broken)


@pytest.mark.parametrize(
    "settings",
    [
        EngineSettings(n_ctx=256, type_k="q8_0", type_v="q8_0"),
        EngineSettings(n_ctx=256, flash_attn=True, n_threads=1, n_threads_batch=2, use_mmap=False),
        EngineSettings(n_ctx=256, n_batch=64, n_ubatch=32, max_parallel=3),
        EngineSettings.model_validate({"n_ctx": 256, "rope": {"scaling_type": "linear", "freq_scale": 0.5}}),
        EngineSettings.model_validate({"n_ctx": 256, "rope": {"scaling_type": "yarn", "yarn_orig_ctx": 8192}}),
    ],
    ids=["quantized KV", "flash attention", "small batches", "linear RoPE", "YaRN"],
)
def test_every_way_to_load_decodes(settings: EngineSettings) -> None:
    """The owner's keys reach llama.cpp, and the model writes with them."""
    runner = Runner(load_params(settings))
    tokens = prompt(runner)[: settings.n_batch]
    outputs = runner.decode([BatchPart(seq_id=0, position=0, tokens=tokens, wants_logits=True)])
    assert np.isfinite(runner.logits(outputs[0])).all()
    assert runner.n_batch == settings.n_batch
    runner.close()


@pytest.mark.parametrize(
    "params",
    [
        SamplingParams(),
        SamplingParams(temperature=0),
        SamplingParams(temperature=0.7, top_k=40, top_p=0.9, min_p=0.05, typical_p=0.9, seed=1),
        SamplingParams(repeat_penalty=1.2, presence_penalty=0.5, frequency_penalty=0.5, penalty_last_n=-1),
        SamplingParams(dry_multiplier=0.8),
        SamplingParams(logit_bias={5: -100.0, 6: 1.0}),
    ],
    ids=["free", "greedy", "filters", "penalties", "DRY", "bias"],
)
def test_every_sampler_chooses_a_token(runner: Runner, params: SamplingParams) -> None:
    """Each chain gives a token of the vocabulary."""
    tokens = prompt(runner)
    outputs = runner.decode([BatchPart(seq_id=0, position=0, tokens=tokens, wants_logits=True)])
    sampler = Sampler(params, runner.vocabulary, n_ctx=runner.n_ctx)
    sampler.accept(tokens)
    assert 0 <= runner.sample(sampler, outputs[0]) < runner.vocabulary.size
    sampler.close()


def test_dry_keeps_a_model_from_repeating_itself(runner: Runner) -> None:
    """After a sequence that came before, DRY takes another token than the likeliest, which went on with it."""
    text = "one two three four five six. one two three four five six. one two three four"
    tokens = prompt(runner, text)
    outputs = runner.decode([BatchPart(seq_id=0, position=0, tokens=tokens, wants_logits=True)])
    chosen = []
    for params in (SamplingParams(temperature=0), SamplingParams(temperature=0, dry_multiplier=5.0)):
        sampler = Sampler(params, runner.vocabulary, n_ctx=runner.n_ctx)
        sampler.accept(tokens)
        chosen.append(runner.vocabulary.piece(runner.sample(sampler, outputs[0])))
        sampler.close()
    assert chosen[0] == b" five"
    assert chosen[1] != b" five"


def test_a_bias_for_an_unknown_token_is_refused(runner: Runner) -> None:
    """A token id outside the vocabulary is the caller's mistake and says so."""
    with pytest.raises(InvalidRequestError, match=r"names token 99999999; this model has tokens 0 to"):
        Sampler(SamplingParams(logit_bias={99_999_999: 1.0}), runner.vocabulary, n_ctx=64)
