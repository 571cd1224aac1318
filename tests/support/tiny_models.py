"""Tiny models with random weights and the demo model's tokenizer, one for every kind of memory a model can have.

What they write is nonsense, but each token depends on those before it, as it does in a real model of their kind.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from gguf import GGMLQuantizationType, GGUFReader, GGUFValueType, GGUFWriter
from numpy.typing import NDArray

from tests.support.real_engine import demo_model

WINDOW = 32
"""Tokens that every other layer of the sliding-window model sees."""
_WIDTH = 64
_HIDDEN = 128
_HEADS = 2
_HEAD = _WIDTH // _HEADS
_CONTEXT = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokenizer:
    """The metadata that make a tokenizer, and a chat template."""

    fields: tuple[tuple[str, Any, GGUFValueType, GGUFValueType | None], ...]
    """Key, value, type, and type of the elements where the value is an array."""
    size: int

    @classmethod
    def of_demo_model(cls) -> Self:
        """Read it from the demo model, which takes some seconds."""
        reader = GGUFReader(demo_model())
        fields = [
            (key, field.contents(), field.types[0], field.types[-1] if len(field.types) > 1 else None)
            for key, field in reader.fields.items()
            if key.startswith("tokenizer.")
        ]
        size = next(len(value) for key, value, *_ in fields if key == "tokenizer.ggml.tokens")
        return cls(fields=tuple(fields), size=size)


class TinyModel:
    """A GGUF file in the making."""

    def __init__(self, path: Path, architecture: str, tokenizer: Tokenizer) -> None:
        self._random = np.random.default_rng(7)
        self._writer = GGUFWriter(path, architecture)
        self._writer.add_context_length(_CONTEXT)
        self._writer.add_embedding_length(_WIDTH)
        self._writer.add_block_count(2)
        self._writer.add_layer_norm_rms_eps(1e-5)
        for key, value, kind, element in tokenizer.fields:
            self._writer.add_key_value(key, value, kind, element)
        self.matrix("token_embd.weight", tokenizer.size, _WIDTH, kind=np.float16)

    def matrix(self, name: str, *shape: int, kind: type[np.float32 | np.float16] = np.float32) -> None:
        """Random weights that keep the size of what goes through them; rows first, as numpy has it."""
        self.tensor(name, (self._random.standard_normal(shape) / np.sqrt(shape[-1])).astype(kind))

    def ones(self, name: str, *shape: int) -> None:
        """Weights of a norm."""
        self.tensor(name, np.ones(shape, dtype=np.float32))

    def tensor(self, name: str, values: NDArray[Any]) -> None:
        """Any weights."""
        kind = GGMLQuantizationType.F16 if values.dtype == np.float16 else GGMLQuantizationType.F32
        self._writer.add_tensor(name, values, raw_dtype=kind)

    def attention(self, layer: str, *, kv_heads: int) -> None:
        """The four projections of an attention layer."""
        self.matrix(f"{layer}.attn_q.weight", _WIDTH, _WIDTH)
        self.matrix(f"{layer}.attn_k.weight", kv_heads * _HEAD, _WIDTH)
        self.matrix(f"{layer}.attn_v.weight", kv_heads * _HEAD, _WIDTH)
        self.matrix(f"{layer}.attn_output.weight", _WIDTH, _WIDTH)

    def feed_forward(self, layer: str) -> None:
        """The three matrices behind an attention layer, and their norm."""
        self.ones(f"{layer}.ffn_norm.weight", _WIDTH)
        self.matrix(f"{layer}.ffn_gate.weight", _HIDDEN, _WIDTH)
        self.matrix(f"{layer}.ffn_up.weight", _HIDDEN, _WIDTH)
        self.matrix(f"{layer}.ffn_down.weight", _WIDTH, _HIDDEN)

    @property
    def metadata(self) -> GGUFWriter:
        """For what only one architecture has."""
        return self._writer

    def save(self) -> None:
        """Write the file."""
        self._writer.write_header_to_file()
        self._writer.write_kv_data_to_file()
        self._writer.write_tensors_to_file()
        self._writer.close()


def write_recurrent(path: Path, tokenizer: Tokenizer) -> Path:
    """A Mamba: its memory is one state of fixed size, which holds everything before or nothing."""
    inner, states, rank, kernel = 2 * _WIDTH, 8, 4, 4
    model = TinyModel(path, "mamba", tokenizer)
    model.metadata.add_feed_forward_length(0)
    model.metadata.add_head_count(0)
    model.metadata.add_ssm_conv_kernel(kernel)
    model.metadata.add_ssm_inner_size(inner)
    model.metadata.add_ssm_state_size(states)
    model.metadata.add_ssm_time_step_rank(rank)
    for layer in ("blk.0", "blk.1"):
        model.ones(f"{layer}.attn_norm.weight", _WIDTH)
        model.matrix(f"{layer}.ssm_in.weight", 2 * inner, _WIDTH)
        model.matrix(f"{layer}.ssm_conv1d.weight", inner, kernel)
        model.tensor(f"{layer}.ssm_conv1d.bias", np.zeros(inner, dtype=np.float32))
        model.matrix(f"{layer}.ssm_x.weight", rank + 2 * states, inner)
        model.matrix(f"{layer}.ssm_dt.weight", inner, rank)
        # Steps of about 0.01: what was read hundreds of tokens ago still counts.
        model.tensor(f"{layer}.ssm_dt.bias", np.full(inner, -4.6, dtype=np.float32))
        model.tensor(f"{layer}.ssm_a", -np.tile(np.arange(1, states + 1, dtype=np.float32), (inner, 1)))
        model.ones(f"{layer}.ssm_d", inner)
        model.matrix(f"{layer}.ssm_out.weight", _WIDTH, inner)
    model.ones("output_norm.weight", _WIDTH)
    model.save()
    return path


def write_sliding_window(path: Path, tokenizer: Tokenizer) -> Path:
    """A Gemma 2: every other layer sees the last 32 tokens only."""
    model = TinyModel(path, "gemma2", tokenizer)
    model.metadata.add_feed_forward_length(_HIDDEN)
    model.metadata.add_head_count(_HEADS)
    model.metadata.add_head_count_kv(1)
    model.metadata.add_key_length(_HEAD)
    model.metadata.add_value_length(_HEAD)
    model.metadata.add_sliding_window(WINDOW)
    for layer in ("blk.0", "blk.1"):
        model.ones(f"{layer}.attn_norm.weight", _WIDTH)
        model.attention(layer, kv_heads=1)
        model.ones(f"{layer}.post_attention_norm.weight", _WIDTH)
        model.feed_forward(layer)
        model.ones(f"{layer}.post_ffw_norm.weight", _WIDTH)
    model.ones("output_norm.weight", _WIDTH)
    model.save()
    return path


def write_hybrid(path: Path, tokenizer: Tokenizer) -> Path:
    """An LFM2: one layer is a short convolution with a state, the other is attention."""
    kernel = 3
    model = TinyModel(path, "lfm2", tokenizer)
    model.metadata.add_feed_forward_length(_HIDDEN)
    model.metadata.add_head_count(_HEADS)
    model.metadata.add_head_count_kv([0, 1])
    model.metadata.add_shortconv_l_cache(kernel)
    model.ones("blk.0.attn_norm.weight", _WIDTH)
    model.matrix("blk.0.shortconv.conv.weight", _WIDTH, kernel)
    model.matrix("blk.0.shortconv.in_proj.weight", 3 * _WIDTH, _WIDTH)
    model.matrix("blk.0.shortconv.out_proj.weight", _WIDTH, _WIDTH)
    model.feed_forward("blk.0")
    model.ones("blk.1.attn_norm.weight", _WIDTH)
    model.attention("blk.1", kv_heads=1)
    model.ones("blk.1.attn_q_norm.weight", _HEAD)
    model.ones("blk.1.attn_k_norm.weight", _HEAD)
    model.feed_forward("blk.1")
    model.ones("token_embd_norm.weight", _WIDTH)
    model.save()
    return path


WRITERS = {"recurrent": write_recurrent, "hybrid": write_hybrid, "sliding window": write_sliding_window}
