"""GGUF files that are all header: the shapes of real models, without their gigabytes."""

import struct
from collections.abc import Mapping, Sequence

from tests.support.gguf_files import text

F32, F16, Q4_0, Q6_K = 0, 1, 2, 14
_BYTES = {F32: (1, 4), F16: (1, 2), Q4_0: (32, 18), Q6_K: (256, 210)}
Value = int | str | Sequence[int]
Tensor = tuple[str, tuple[int, ...], int]


def header(metadata: Mapping[str, Value], tensors: Sequence[Tensor]) -> bytes:
    """A file with these numbers (u32), texts and arrays of numbers, and with tensors that would follow each other."""
    pairs = [text(key) + _value(value) for key, value in metadata.items()]
    infos, offset = [], 0
    for name, dims, kind in tensors:
        infos.append(text(name) + struct.pack(f"<I{len(dims)}QIQ", len(dims), *dims, kind, offset % 2**64))
        numbers, size = _BYTES.get(kind, (1, 0))
        elements = 1
        for dim in dims:
            elements *= dim
        offset += -(-elements // numbers * size // 32) * 32
    return b"GGUF" + struct.pack("<IQQ", 3, len(infos), len(pairs)) + b"".join(pairs) + b"".join(infos)


def _value(value: Value) -> bytes:
    if isinstance(value, str):
        return struct.pack("<I", 8) + text(value)
    if isinstance(value, int):
        return struct.pack("<II", 4, value)
    return struct.pack(f"<IIQ{len(value)}I", 9, 4, len(value), *value)


def llama(*, layers: int, n_embd: int, n_ff: int, n_vocab: int, heads: int, tied: bool = False) -> bytes:
    """A Llama model quantized to Q4_0, whose output llama.cpp quantizes to Q6_K."""
    tensors, metadata = llama_parts(layers=layers, n_embd=n_embd, n_ff=n_ff, n_vocab=n_vocab, heads=heads)
    return header(metadata, [tensor for tensor in tensors if not (tied and tensor[0] == "output.weight")])


def llama_parts(
    *, layers: int, n_embd: int, n_ff: int, n_vocab: int, heads: int
) -> tuple[list[Tensor], dict[str, Value]]:
    """The tensors and the metadata of such a model."""
    tensors: list[Tensor] = [("token_embd.weight", (n_embd, n_vocab), Q4_0)]
    for index in range(layers):
        block = f"blk.{index}"
        tensors += [(f"{block}.attn_{name}.weight", (n_embd, n_embd), Q4_0) for name in ("q", "k", "v", "output")]
        tensors += [(f"{block}.ffn_{name}.weight", (n_embd, n_ff), Q4_0) for name in ("gate", "up")]
        tensors += [(f"{block}.ffn_down.weight", (n_ff, n_embd), Q4_0)]
        tensors += [(f"{block}.{name}_norm.weight", (n_embd,), F32) for name in ("attn", "ffn")]
    tensors += [("output_norm.weight", (n_embd,), F32), ("output.weight", (n_embd, n_vocab), Q6_K)]
    metadata: dict[str, Value] = {
        "general.architecture": "llama",
        "llama.block_count": layers,
        "llama.embedding_length": n_embd,
        "llama.feed_forward_length": n_ff,
        "llama.attention.head_count": heads,
        "llama.attention.head_count_kv": heads,
        "llama.context_length": 4096,
    }
    return tensors, metadata


def llama2_13b() -> bytes:
    """Llama-2 13B Q4_0: 170.16 MiB of quantized weights a layer, 40 layers."""
    return llama(layers=40, n_embd=5120, n_ff=13824, n_vocab=32000, heads=40)
