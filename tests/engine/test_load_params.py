"""What the owner's settings mean for loading."""

from pathlib import Path
from typing import Any

import pytest

from bot.engine import load_params as load_params_module
from bot.engine.gpu_devices import GpuDevice
from bot.engine.load_params import ALL_LAYERS, LoadParams
from bot.errors import ModelLoadError
from bot.settings import EngineSettings, LoraSettings, ModelSettings
from tests.support.gguf_files import gguf
from tests.support.gguf_headers import llama2_13b
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


def _auto(
    path: Path, cards: tuple[int, ...], monkeypatch: pytest.MonkeyPatch, *, gpu_offload: bool = True, **engine: Any
) -> int:
    """The layers for a window of 1024 with cards that have so many MiB free."""
    devices = tuple(GpuDevice(description="card", free=free * 2**20) for free in cards)
    monkeypatch.setattr(load_params_module, "gpu_devices", lambda: devices)
    settings = EngineSettings(n_ctx=1024, max_parallel=2, **engine)
    return LoadParams.from_settings(path, ModelSettings(), settings, gpu_offload=gpu_offload).n_gpu_layers


def test_auto_puts_as_many_layers_on_the_card_as_fit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The free memory of the one card decides, and none is used by a library that cannot."""
    path = tmp_path / "llama-2-13b.Q4_0.gguf"
    path.write_bytes(llama2_13b())
    assert _auto(path, (3072,), monkeypatch) == 12
    assert _auto(path, (300,), monkeypatch) == 0
    assert _auto(path, (81920,), monkeypatch) == 41
    assert _auto(path, (3072,), monkeypatch, gpu_offload=False) == 0


def test_auto_tries_all_layers_where_it_cannot_calculate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a card that says its memory, or with a header it does not know, the probe finds out."""
    path = tmp_path / "m.gguf"
    path.write_bytes(gguf())
    assert _auto(path, (3072,), monkeypatch) == ALL_LAYERS
    path.write_bytes(llama2_13b())
    assert _auto(path, (), monkeypatch) == ALL_LAYERS
    assert _auto(path, (3072, 3072), monkeypatch, split_mode="row") == ALL_LAYERS
    assert _auto(path, (3072,), monkeypatch, split_mode="none", main_gpu=1) == ALL_LAYERS


def test_auto_counts_the_cards_that_are_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of them, or the one that is named, in the owner's shares or by what is free."""
    path = tmp_path / "llama-2-13b.Q4_0.gguf"
    path.write_bytes(llama2_13b())
    assert _auto(path, (3072, 3072), monkeypatch) == 24
    assert _auto(path, (300, 3072), monkeypatch, split_mode="none", main_gpu=1) == 12
    assert _auto(path, (3072, 3072), monkeypatch, tensor_split=(1,)) == 12
