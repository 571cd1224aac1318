"""The calculation of what fits on a graphics card."""

import re
from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.engine.gguf_header import GgufHeader
from bot.engine.gpu_fit import MIB, FitContext, GpuFit
from bot.engine.load_params import LoadParams
from bot.engine.model_shape import LayerShape, ModelShape
from bot.engine.runner import Runner
from bot.settings import EngineSettings, ModelSettings
from tests.support.gguf_headers import llama2_13b
from tests.support.real_engine import demo_model, load_params

CONTEXT = FitContext(n_ctx=1024, max_parallel=1, n_ubatch=512, type_k="f16", type_v="f16", flash_attn=False)
MARGIN = 256 * MIB


@pytest.fixture
def llama_2(tmp_path: Path) -> ModelShape:
    """Llama-2 13B Q4_0, from a header without tensors."""
    path = tmp_path / "llama-2-13b.Q4_0.gguf"
    path.write_bytes(llama2_13b())
    return ModelShape.of([GgufHeader.peek(path)])


def test_the_weights_are_what_a_real_card_held(llama_2: ModelShape) -> None:
    """llama.cpp's own log of this model with 10 of 41 layers on a P106-090 said 1701.95 MiB."""
    row = GpuFit.of(llama_2, CONTEXT).rows[10]
    assert row.weights / MIB == pytest.approx(1701.95, abs=0.01)
    assert row.kv == 10 * 20 * MIB


@pytest.mark.parametrize("max_parallel", [1, 2])
def test_a_3_gib_card_gets_what_its_owner_found_by_trial(llama_2: ModelShape, max_parallel: int) -> None:
    """With n_ctx 1024, 15 layers did not fit and 10 left memory unused."""
    fit = GpuFit.of(llama_2, replace(CONTEXT, max_parallel=max_parallel))
    assert 11 <= fit.best([3072 * MIB], MARGIN).n_gpu_layers <= 14


def test_the_whole_cache_is_what_the_log_said(llama_2: ModelShape) -> None:
    """With n_ctx 2048 the KV cache of all layers is 1600 MiB, and q8_0 makes it 850."""
    context = replace(CONTEXT, n_ctx=2048)
    assert GpuFit.of(llama_2, context).rows[-1].kv == 1600 * MIB
    assert GpuFit.of(llama_2, replace(context, type_k="q8_0", type_v="q8_0")).rows[-1].kv == 850 * MIB


def test_the_last_row_is_the_whole_model(llama_2: ModelShape) -> None:
    """The output is the layer after the last one; the embedding stays in system memory."""
    fit = GpuFit.of(llama_2, CONTEXT)
    assert [row.n_gpu_layers for row in fit.rows] == list(range(42))
    assert fit.rows[-1].weights == sum(layer.weights for layer in llama_2.layers) + llama_2.output
    assert fit.best([80 * 1024 * MIB], MARGIN) == fit.rows[-1]


def test_a_large_output_counts_from_the_first_layer(llama_2: ModelShape) -> None:
    """llama.cpp puts the output on the card first, so one layer takes at least that."""
    fit = GpuFit.of(replace(llama_2, output=1024 * MIB), CONTEXT)
    assert fit.rows[0].weights == 0
    assert fit.rows[1].weights == 1024 * MIB


def test_two_cards_share_by_their_free_memory(llama_2: ModelShape) -> None:
    """A card with twice as much gets twice the layers, the later ones, and each has buffers of its own."""
    free = [3136 * MIB, 6272 * MIB]
    fit = GpuFit.of(llama_2, CONTEXT, free)
    best = fit.best(free, MARGIN)
    assert best.n_gpu_layers == 41
    assert [card.layers for card in best.cards] == [14, 27]
    assert [card.compute > 0 for card in best.cards] == [True, True]
    assert fit.rows[0].cards[1].total == 0


@pytest.mark.parametrize(
    ("context", "one", "two"),
    [
        (replace(CONTEXT, n_ctx=4096, max_parallel=2), 83.01, 113.77),
        (replace(CONTEXT, n_ctx=4096, max_parallel=2, flash_attn=True), 15.26, 31.79),
        (replace(CONTEXT, n_ctx=2048, n_ubatch=128), 10.75, 15.46),
        (replace(CONTEXT, n_ctx=8192, max_parallel=2, flash_attn=True), 19.26, 47.79),
    ],
)
def test_cards_allocate_what_was_calculated(context: FitContext, one: float, two: float) -> None:
    """The sizes are what llama.cpp logged for all of the small model on one Vulkan device, and for each of two."""
    model = ModelShape.of([GgufHeader.read(demo_model())])
    for split, logged in (((1,), one), ((1, 1), two)):
        for card in GpuFit.of(model, context, split).rows[-1].cards:
            assert logged * 0.99 < card.compute / MIB < logged + 4


def test_the_shares_of_two_cards_are_what_they_held() -> None:
    """Of all layers and of twelve, as llama.cpp logged it for two Vulkan devices."""
    model = ModelShape.of([GgufHeader.read(demo_model())])
    fit = GpuFit.of(model, replace(CONTEXT, n_ctx=4096, max_parallel=2), [1, 1])
    held = {31: [(33.82, 96), (58.28, 84)], 12: [(12.68, 36), (39.26, 30)]}
    for layers, shares in held.items():
        assert [(round(card.weights / MIB, 2), card.kv / MIB) for card in fit.rows[layers].cards] == shares


def test_nothing_fits(llama_2: ModelShape) -> None:
    """On a card that is too small for a layer, no layer is the best."""
    assert GpuFit.of(llama_2, CONTEXT).best([300 * MIB], MARGIN).n_gpu_layers == 0


@pytest.mark.parametrize(
    ("n_ctx", "max_parallel", "n_ubatch", "flash_attn"),
    [(256, 1, 512, False), (1000, 2, 512, False), (2048, 1, 128, False), (1024, 1, 512, True), (2048, 1, 256, True)],
)
def test_the_library_allocates_what_was_calculated(
    caplog: pytest.LogCaptureFixture, n_ctx: int, max_parallel: int, n_ubatch: int, flash_attn: bool
) -> None:
    """For the real small model, llama.cpp logs this size of the cache and the compute buffer within 3 %."""
    engine = EngineSettings(n_ctx=n_ctx, max_parallel=max_parallel, n_ubatch=n_ubatch, flash_attn=flash_attn)
    with caplog.at_level("DEBUG", logger="llama.cpp"):
        Runner(load_params(engine)).close()
    log = "\n".join(caplog.messages)
    context = replace(CONTEXT, n_ctx=n_ctx, max_parallel=max_parallel, n_ubatch=n_ubatch, flash_attn=flash_attn)
    row = GpuFit.of(ModelShape.of([GgufHeader.read(demo_model())]), context).rows[-1]
    assert round(row.kv / MIB, 2) == _logged("KV buffer size", log)
    assert row.compute / MIB == pytest.approx(_logged("compute buffer size", log), rel=0.03)


@pytest.mark.parametrize("kind", ["recurrent", "hybrid", "sliding window"])
def test_other_memories(caplog: pytest.LogCaptureFixture, tiny_models: Mapping[str, Path], kind: str) -> None:
    """For models whose memory is not a cache for the whole window, the library needs no more than was calculated."""
    path = tiny_models[kind]
    engine = EngineSettings(n_ctx=1024, max_parallel=3, n_ubatch=512, flash_attn=False)
    with caplog.at_level("DEBUG", logger="llama.cpp"):
        Runner(LoadParams.from_settings(path, ModelSettings(), engine, gpu_offload=False)).close()
    log = "\n".join(caplog.messages)
    row = GpuFit.of(ModelShape.of([GgufHeader.read(path)]), FitContext.of(engine)).rows[-1]
    memories = sum(float(size) for size in re.findall(r"(?:KV|RS) buffer size = +([\d.]+) MiB", log))
    assert row.kv / MIB == pytest.approx(memories, abs=0.011)  # each is rounded
    assert row.weights / MIB == pytest.approx(_logged("model buffer size", log), abs=0.01)
    assert _logged("compute buffer size", log) <= row.compute / MIB * 1.03


def _logged(what: str, log: str) -> float:
    match = re.search(rf"{what} = +([\d.]+) MiB", log)
    assert match is not None, log
    return float(match[1])


_sizes = st.integers(0, 2**34)
_widths = st.integers(0, 2**14)
_layers = st.tuples(_sizes, st.floats(0, 1), _widths, _widths, st.integers(0, 2**24)).map(
    lambda parts: LayerShape(
        weights=parts[0], largest=int(parts[0] * parts[1]), k_width=parts[2], v_width=parts[3], state=parts[4]
    )
)
_models = st.builds(
    ModelShape,
    layers=st.lists(_layers, min_size=1, max_size=12).map(tuple),
    output=_sizes,
    n_embd=_widths,
    n_ff=_widths,
    n_head=st.integers(0, 128),
    n_vocab=st.integers(0, 2**18),
    sliding=st.booleans(),
)
_types = st.sampled_from(["f32", "f16", "bf16", "q8_0", "q5_1", "q5_0", "q4_1", "q4_0", "iq4_nl"])
_contexts = st.builds(
    FitContext,
    n_ctx=st.integers(64, 2**17),
    max_parallel=st.integers(1, 64),
    n_ubatch=st.integers(32, 2048),
    type_k=_types,
    type_v=_types,
    flash_attn=st.booleans(),
)


@given(model=_models, context=_contexts)
def test_more_layers_never_take_less(model: ModelShape, context: FitContext) -> None:
    """Each row takes at least as much as the one before, so that the last one that fits is the best."""
    totals = [row.total for row in GpuFit.of(model, context).rows]
    assert len(totals) == len(model.layers) + 2
    assert all(less <= more for less, more in pairwise(totals))


@given(model=_models, context=_contexts, free=st.integers(0, 2**38), margin=st.integers(0, 2**32))
def test_the_memory_is_never_exceeded(model: ModelShape, context: FitContext, free: int, margin: int) -> None:
    """What is recommended fits with its margin, and one layer more would not."""
    fit = GpuFit.of(model, context)
    best = fit.best([free], margin)
    assert best.n_gpu_layers == 0 or best.total + margin <= free
    assert all(row.total + margin > free for row in fit.rows[best.n_gpu_layers + 1 :])


@given(
    model=_models,
    context=_contexts,
    free=st.lists(st.integers(1, 2**38), min_size=1, max_size=4),
    margin=st.integers(0, 2**32),
)
def test_no_card_of_several_is_exceeded(model: ModelShape, context: FitContext, free: list[int], margin: int) -> None:
    """Every layer is on exactly one card, in order, and what is recommended leaves its margin on each."""
    fit = GpuFit.of(model, context, free)
    best = fit.best(free, margin)
    for row in fit.rows:
        assert row.n_gpu_layers == sum(card.layers for card in row.cards)
        assert row.left(free) == min(have - card.total for have, card in zip(free, row.cards, strict=True))
    assert fit.rows[-1].weights == sum(layer.weights for layer in model.layers) + model.output
    if best.n_gpu_layers:
        assert all(card.total + margin <= have for have, card in zip(free, best.cards, strict=True))


@given(model=_models, context=_contexts)
def test_every_window_more_takes_more(model: ModelShape, context: FitContext) -> None:
    """A longer window or one more conversation never takes less."""
    rows = GpuFit.of(model, context).rows
    for grown in (
        replace(context, n_ctx=context.n_ctx + 256),
        replace(context, max_parallel=context.max_parallel + 1),
        replace(context, n_ubatch=context.n_ubatch + 32),
    ):
        assert all(less.total <= more.total for less, more in zip(rows, GpuFit.of(model, grown).rows, strict=True))
