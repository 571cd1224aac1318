"""What is read out of a header about memory."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.engine.gguf_header import GgufHeader
from bot.engine.model_shape import ModelShape
from bot.errors import ModelLoadError
from tests.support.gguf_headers import F16, F32, Q4_0, Tensor, Value, header, llama, llama2_13b, llama_parts


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the file goes."""
    return tmp_path / "model.gguf"


def _shape(path: Path, *contents: bytes) -> ModelShape:
    headers = []
    for content in contents:
        path.write_bytes(content)
        headers.append(GgufHeader.peek(path))
    return ModelShape.of(headers)


def _small(tensors: list[Tensor], metadata: dict[str, Value]) -> bytes:
    """Two layers of an architecture called `toy`, with a vocabulary of 100."""
    known: dict[str, Value] = {
        "general.architecture": "toy",
        "toy.block_count": 2,
        "toy.embedding_length": 64,
        "toy.attention.head_count": 4,
    }
    return header(known | metadata, [("token_embd.weight", (64, 100), F16), *tensors])


def test_llama_2_13b(path: Path) -> None:
    """Every layer has 170.16 MiB of quantized weights and two norms; the output is Q6_K with a norm."""
    shape = _shape(path, llama2_13b())
    assert len(shape.layers) == 40
    assert {layer.weights for layer in shape.layers} == {(4 * 5120**2 + 3 * 5120 * 13824) // 32 * 18 + 2 * 5120 * 4}
    assert {layer.largest for layer in shape.layers} == {5120 * 13824 // 32 * 18}
    assert {(layer.k_width, layer.v_width, layer.state) for layer in shape.layers} == {(5120, 5120, 0)}
    assert shape.output == 5120 * 32000 // 256 * 210 + 5120 * 4
    assert (shape.n_embd, shape.n_ff, shape.n_head, shape.n_vocab) == (5120, 13824, 40, 32000)


def test_an_embedding_that_is_also_the_output_is_needed_twice(path: Path) -> None:
    """Without an output of its own, the embedding's size counts for it."""
    shape = _shape(path, llama(layers=1, n_embd=256, n_ff=512, n_vocab=1000, heads=4, tied=True))
    assert shape.output == 256 * 1000 // 32 * 18 + 256 * 4


def test_split(path: Path) -> None:
    """The parts of a model add up to the whole, whichever of them a layer is in."""
    tensors, metadata = llama_parts(layers=3, n_embd=256, n_ff=512, n_vocab=1000, heads=4)
    first, second = header(metadata, tensors[:11]), header({}, tensors[11:])
    assert _shape(path, first, second) == _shape(path, header(metadata, tensors))


def test_grouped_heads_and_lengths(path: Path) -> None:
    """K and V are as wide as the heads for them and their lengths, which may differ from layer to layer."""
    kv: list[Tensor] = [(f"blk.{n}.attn_k.weight", (64, 64), F16) for n in range(2)]
    metadata: dict[str, Value] = {
        "toy.attention.head_count_kv": [1, 2],
        "toy.attention.key_length": 32,
        "toy.attention.value_length": 24,
    }
    assert [(each.k_width, each.v_width) for each in _shape(path, _small(kv, metadata)).layers] == [(32, 24), (64, 48)]


def test_sliding_window(path: Path) -> None:
    """A layer with a sliding window may have its own lengths; the last layers may use the cache of others."""
    kv: list[Tensor] = [(f"blk.{n}.attn_k.weight", (64, 64), F16) for n in range(3)]
    metadata: dict[str, Value] = {
        "toy.block_count": 3,
        "toy.attention.sliding_window": 32,
        "toy.attention.sliding_window_pattern": [1, 0, 0],
        "toy.attention.key_length": 32,
        "toy.attention.value_length": 32,
        "toy.attention.key_length_swa": 8,
        "toy.attention.shared_kv_layers": 1,
    }
    shape = _shape(path, _small(kv, metadata))
    assert shape.sliding
    widths = [(each.k_width, each.v_width) for each in shape.layers]
    assert widths == [(32, 128), (128, 128), (0, 0)]


def test_recurrent_layers(path: Path) -> None:
    """A recurrent layer has a state of fixed size and no cache, also where one tensor makes its Q, K and V."""
    tensors: list[Tensor] = [
        ("blk.0.attn_qkv.weight", (64, 192), Q4_0),
        ("blk.0.ssm_conv1d.weight", (4, 128), F32),
        ("blk.1.attn_qkv.weight", (64, 192), Q4_0),
    ]
    metadata: dict[str, Value] = {
        "toy.ssm.conv_kernel": 4,
        "toy.ssm.inner_size": 128,
        "toy.ssm.state_size": 16,
        "toy.ssm.group_count": 2,
    }
    recurrent, attention = _shape(path, _small(tensors, metadata)).layers
    assert (recurrent.k_width, recurrent.state) == (0, 4 * (3 * (128 + 2 * 2 * 16) + 128 * 16))
    assert (attention.k_width, attention.state) == (64, 0)


def test_rwkv(path: Path) -> None:
    """The state of an RWKV layer is two shifted tokens and a matrix for each head."""
    shape = _shape(path, _small([("blk.0.time_mix_key.weight", (64, 64), F16)], {"toy.wkv.head_size": 16}))
    assert shape.layers[0].state == 4 * (2 * 64 + 64 * 16)


def test_experts(path: Path) -> None:
    """What all used experts compute at once counts, where that is more than one wide layer."""
    metadata: dict[str, Value] = {
        "toy.feed_forward_length": 300,
        "toy.expert_feed_forward_length": 100,
        "toy.expert_used_count": 4,
    }
    assert _shape(path, _small([], metadata)).n_ff == 400


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (header({}, []), "no language model: general.architecture"),
        (header({"general.architecture": "toy"}, []), "toy.block_count is not in its header"),
        (_small([], {"toy.block_count": 513}), "toy.block_count is 513"),
        (_small([], {"toy.block_count": "many"}), "toy.block_count is 'many'"),
        (_small([], {"toy.attention.head_count": [4]}), "toy.attention.head_count has 1 values"),
        (_small([], {"toy.attention.head_count": 2**32 - 1}), "toy.attention.head_count is '4294967295'"),
        (_small([("output.weight", (64, 100), 4000)], {}), "tensor output.weight has the unknown type 4000"),
        (header({"general.architecture": "toy", "toy.block_count": 1, "toy.embedding_length": 1}, []), "token_embd"),
    ],
)
def test_what_cannot_be_told(path: Path, content: bytes, reason: str) -> None:
    """A header that lacks something, or says what cannot be, is refused with the key or the tensor."""
    with pytest.raises(ModelLoadError, match=reason):
        _shape(path, content)


_KEYS = (
    "block_count",
    "embedding_length",
    "feed_forward_length",
    "attention.head_count",
    "attention.head_count_kv",
    "attention.key_length",
    "attention.shared_kv_layers",
    "attention.sliding_window_pattern",
    "ssm.inner_size",
    "ssm.conv_kernel",
    "expert_used_count",
    "wkv.head_size",
)
_numbers = st.integers(0, 2**32 - 1) | st.integers(0, 8)
_values: st.SearchStrategy[Any] = _numbers | st.text(max_size=4) | st.lists(_numbers, max_size=4)
_names = st.sampled_from(
    ["token_embd.weight", "output.weight", "blk.0.attn_k.weight", "blk.1.ssm_a", "blk.9999.x", "blk.0.", "blk.", "x"]
)
_dims = st.lists(st.integers(0, 2**64 - 1) | st.integers(0, 99), max_size=4).map(tuple)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)  # the file is written anew
@given(
    metadata=st.dictionaries(st.sampled_from(_KEYS).map("toy.".__add__), _values),
    tensors=st.lists(st.tuples(_names, _dims, st.sampled_from([F32, Q4_0, 40, 4000])), max_size=6),
)
def test_hostile_headers(path: Path, metadata: dict[str, Value], tensors: list[Tensor]) -> None:
    """Whatever a header claims, the answer is a shape without negative sizes or a `ModelLoadError`."""
    known: dict[str, Value] = {"general.architecture": "toy", "toy.block_count": 2, "toy.embedding_length": 64}
    content = header(known | metadata, [("token_embd.weight", (64, 9), F16), *tensors])
    try:
        shape = _shape(path, content)
    except ModelLoadError:
        return
    assert all(min(each.weights, each.k_width, each.v_width, each.state) >= 0 for each in shape.layers)
