"""What the owner's settings mean for loading."""

from pathlib import Path

import pytest

from bot.engine.load_params import LoadParams
from bot.errors import ModelLoadError
from bot.settings import EngineSettings, LoraSettings, ModelSettings
from tests.support.gguf_files import gguf
from tests.support.real_engine import load_params


@pytest.mark.parametrize(
    ("settings", "left_open"),
    [
        ({}, {"flash_attn", "n_threads", "n_threads_batch", "n_ubatch"}),
        ({"flash_attn": False}, {"n_threads", "n_threads_batch", "n_ubatch"}),
        ({"flash_attn": True, "n_threads": 3}, {"n_ubatch"}),
        ({"n_threads_batch": 3, "n_ubatch": 512}, {"flash_attn", "n_threads"}),
        ({"type_v": "q8_0"}, {"n_threads", "n_threads_batch", "n_ubatch"}),
        ({"type_k": "q8_0", "n_threads": 1}, {"flash_attn", "n_ubatch"}),
    ],
)
def test_what_the_owner_set_is_not_chosen_by_measuring(settings: dict[str, object], left_open: set[str]) -> None:
    """Only keys left open may be chosen; threads for writing limit those for reading, a quantized V needs flash."""
    assert set(load_params(EngineSettings.model_validate(settings)).tunable or ()) == left_open


def test_micro_batches_fit_the_batch() -> None:
    """Without a key for it they have 512 tokens, or n_batch if that is less."""
    assert load_params(EngineSettings(n_batch=2048)).n_ubatch == 512
    assert load_params(EngineSettings(n_batch=128)).n_ubatch == 128
    assert load_params(EngineSettings(n_batch=128, n_ubatch=64)).n_ubatch == 64


def test_parameters_survive_json() -> None:
    """What is remembered is what was found."""
    params = load_params(EngineSettings(tensor_split=(3.0, 1.0)))
    assert LoadParams.from_json(params.to_json()) == params


def test_lora_adapters_are_looked_for_before_anything_is_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`~` is the home folder, and a missing or damaged file is named with its key."""

    def load(path: str) -> LoadParams:
        model = ModelSettings(lora=(LoraSettings(path=path, scale=0.5),))
        return LoadParams.from_settings(Path("/m.gguf"), model, EngineSettings(), gpu_offload=False)

    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(ModelLoadError, match=r"model\.lora\[0\]\.path: there is no file"):
        load("~/letters.gguf")
    (tmp_path / "letters.gguf").write_text("<!doctype html>")
    with pytest.raises(ModelLoadError, match="is not a GGUF file"):
        load("~/letters.gguf")
    (tmp_path / "letters.gguf").write_bytes(gguf())
    assert load("~/letters.gguf").lora == ((str(tmp_path / "letters.gguf"), 0.5),)
