"""What a model's header says about the memory it needs."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from bot.engine.gguf_header import GgufHeader, GgufTensor, Scalar
from bot.errors import ModelLoadError

_BLOCK = re.compile(r"blk\.(\d{1,4})\.(.+)")
_INPUT = ("token_embd", "per_layer_token_embd", "token_types", "position_embd")
"""Tensors of the input layer, which llama.cpp keeps in system memory, whatever it is told."""
_EMBEDDING = "token_embd.weight"
_OUTPUT = "output.weight"
_RECURRENT = ("ssm_", "time_mix_", "shortconv.")
_ATTENTION = ("attn_k.", "attn_k_b.", "attn_kv_a_mqa.", "attn_kv_b.", "attn_qkv.")
_MAX_LAYERS = 512  # LLAMA_MAX_LAYERS
_MAX_SIZE = 2**31
"""Of a width or a count in the metadata; real ones have at most some hundred thousand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerShape:
    """One repeating layer."""

    weights: int
    """Bytes."""
    largest: int
    """Bytes of its largest tensor."""
    k_width: int
    """Numbers that one token adds to the K cache; 0 for a layer without attention."""
    v_width: int
    """The same for the V cache."""
    state: int
    """Bytes of recurrent state for each sequence, whatever its length."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelShape:
    """Sizes that decide what goes where."""

    layers: tuple[LayerShape, ...]
    output: int
    """Bytes of everything after the last repeating layer. An embedding that is also the output counts here again."""
    n_embd: int
    n_ff: int
    """Numbers a token is widened to in a feed-forward part, in all experts that are used, or in a recurrent layer."""
    n_head: int
    """Most heads of a layer."""
    n_vocab: int
    sliding: bool
    """Whether some layers see a part of the window only, which takes a mask of its own."""

    @classmethod
    def of(cls, headers: Sequence[GgufHeader]) -> "ModelShape":
        """Read the headers of all parts of a model.

        Raises `ModelLoadError` where they lack what every language model has, or say what cannot be.
        """
        facts = _Facts(headers[0])
        tensors = [tensor for header in headers for tensor in header.tensors]
        blocks: dict[int, list[GgufTensor]] = {}
        for tensor in tensors:
            if match := _BLOCK.fullmatch(tensor.name):
                blocks.setdefault(int(match[1]), []).append(tensor)
        embedding = next((tensor for tensor in tensors if tensor.name == _EMBEDDING), None)
        if embedding is None or len(embedding.dims) < 2:  # noqa: PLR2004 - a matrix
            raise ModelLoadError(f"this is no language model, or not all of it: there is no tensor {_EMBEDDING}")
        rest = [t for t in tensors if not t.name.startswith((*_INPUT, "blk."))]
        if not any(tensor.name == _OUTPUT for tensor in rest):
            rest.append(embedding)
        return cls(
            layers=tuple(_layer(facts, index, blocks.get(index, [])) for index in range(facts.n_layer)),
            output=sum(map(_size, rest)),
            n_embd=facts.n_embd,
            n_ff=facts.n_ff,
            n_head=max(facts.of_layer("attention.head_count", index, 0) for index in range(facts.n_layer)),
            n_vocab=embedding.dims[1],
            sliding=facts.number("attention.sliding_window", 0) > 0,
        )


def _layer(facts: "_Facts", index: int, tensors: list[GgufTensor]) -> LayerShape:
    sizes = [_size(tensor) for tensor in tensors]
    names = [tensor.name.split(".", 2)[2] for tensor in tensors]
    recurrent = any(name.startswith(_RECURRENT) for name in names)
    # A linear attention of a hybrid model has one tensor for Q, K and V and no cache; plain models have it too.
    kinds = tuple(kind for kind in _ATTENTION if not (recurrent and kind == "attn_qkv."))
    attention = any(name.startswith(kinds) for name in names)
    k_width, v_width = facts.kv_widths(index) if attention else (0, 0)
    return LayerShape(
        weights=sum(sizes),
        largest=max(sizes, default=0),
        k_width=k_width,
        v_width=v_width,
        state=facts.recurrent_state() if recurrent else 0,
    )


def _size(tensor: GgufTensor) -> int:
    if tensor.bytes is None:
        raise ModelLoadError(
            f"tensor {tensor.name} has the unknown type {tensor.type}, so its size cannot be told. "
            "Take another quantization of this model"
        )
    return tensor.bytes


class _Facts:
    """The metadata, looked up under the name of the model's architecture, and never trusted."""

    def __init__(self, header: GgufHeader) -> None:
        self._header = header
        self._arch = header.metadata.get("general.architecture")
        if not isinstance(self._arch, str):
            raise ModelLoadError("this is no language model: general.architecture is not in its header")
        self.n_layer = self._needed("block_count")
        if self.n_layer > _MAX_LAYERS:
            raise ModelLoadError(f"its header cannot be right: {self._arch}.block_count is {self.n_layer}")
        self.n_embd = self._needed("embedding_length")
        widest = max(self.of_layer("feed_forward_length", index, 0) for index in range(self.n_layer))
        experts = self.number("expert_feed_forward_length", widest) * self.number("expert_used_count", 0)
        self.n_ff = max(widest, experts, 2 * self.number("ssm.inner_size", 0))

    def number(self, key: str, default: int) -> int:
        """One whole number, or `default` where there is none."""
        return self._checked(key, self._header.metadata.get(f"{self._arch}.{key}", default))

    def of_layer(self, key: str, index: int, default: int) -> int:
        """The number of one layer, where the file gives one for each, or that of all."""
        array = self._header.arrays.get(f"{self._arch}.{key}")
        if array is None:
            return self.number(key, default)
        if index >= len(array):
            raise ModelLoadError(f"its header cannot be right: {self._arch}.{key} has {len(array)} values")
        return self._checked(key, array[index])

    def kv_widths(self, index: int) -> tuple[int, int]:
        """What a token adds to the K and the V cache of a layer with attention.

        Sliding-window layers may have a width of their own; their cache is as long as any other's, because llama.cpp
        keeps the whole window unless told otherwise (`swa_full` in llama.h). The last layers of some models use the
        cache of others.
        """
        if index >= self.n_layer - self.number("attention.shared_kv_layers", 0):
            return 0, 0
        heads = self.of_layer("attention.head_count", index, 0)
        kv_heads = self.of_layer("attention.head_count_kv", index, heads)
        usual = self.n_embd // heads if heads else 0
        sliding = "_swa" if self._slides(index) else ""
        k_length, v_length = (
            self.number(f"attention.{kind}_length{sliding}", self.number(f"attention.{kind}_length", usual))
            for kind in ("key", "value")
        )
        return kv_heads * k_length, kv_heads * v_length

    def recurrent_state(self) -> int:
        """Bytes of the f32 state that a recurrent layer keeps for a sequence.

        Source: `llama_hparams::n_embd_r` and `n_embd_s` in llama.cpp: what the convolution looks back on, and the
        state itself.
        """
        inner, state = self.number("ssm.inner_size", 0), self.number("ssm.state_size", 0)
        back = max(self.number("ssm.conv_kernel", 1), self.number("shortconv.l_cache", 1)) - 1
        channels = inner + 2 * self.number("ssm.group_count", 0) * state if inner else self.n_embd
        head = self.number("wkv.head_size", 0)
        return 4 * (back * channels + inner * state + (2 + head) * self.n_embd * bool(head))

    def _slides(self, index: int) -> bool:
        pattern = self._header.arrays.get(f"{self._arch}.attention.sliding_window_pattern", ())
        return index < len(pattern) and bool(pattern[index])

    def _needed(self, key: str) -> int:
        number = self.number(key, 0)
        if not number:
            raise ModelLoadError(
                f"this is no language model, or not all of it: {self._arch}.{key} is not in its header"
            )
        return number

    def _checked(self, key: str, value: Scalar) -> int:
        if not isinstance(value, int) or not 0 <= value <= _MAX_SIZE:
            raise ModelLoadError(f"its header cannot be right: {self._arch}.{key} is {str(value)[:40]!r}")
        return int(value)
