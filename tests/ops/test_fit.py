"""The report about what fits."""

import pytest

from bot.engine.gpu_fit import MIB
from bot.engine.model_shape import LayerShape, ModelShape
from bot.ops.fit import FitReport, parse_size, parse_sizes
from bot.settings import EngineSettings

LAYER = LayerShape(weights=100 * MIB, largest=10 * MIB, k_width=1024, v_width=1024, state=0)
MODEL = ModelShape(layers=(LAYER,) * 4, output=50 * MIB, n_embd=1024, n_ff=2048, n_head=8, n_vocab=1000, sliding=False)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("3GiB", 3 * 2**30),
        ("3072MiB", 3 * 2**30),
        ("3G", 3 * 2**30),
        (" 1.5 gib ", 3 * 2**29),
        ("512m", 2**29),
        ("3GB", 3 * 10**9),
        ("500MB", 500 * 10**6),
    ],
)
def test_sizes(text: str, size: int) -> None:
    """Units of memory are powers of 1024, written in any case; with a B alone, powers of 1000."""
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "3", "GiB", "-3GiB", "0GiB", "3TiBB", "3 G i B", "nanGiB", "1e3MiB", "3,5GiB"])
def test_what_is_no_size(text: str) -> None:
    """A number without a unit, a unit without a number, nothing and less than nothing are refused with an example."""
    with pytest.raises(ValueError, match="such as 3GiB or 3072MiB"):
        parse_size(text)


def test_several_sizes() -> None:
    """One for each card, with a comma between them; one of them that is none spoils all."""
    assert parse_sizes("3GiB, 512MiB") == (3 * 2**30, 2**29)
    with pytest.raises(ValueError, match="'' is no size"):
        parse_sizes("3GiB,")


def test_the_margin_is_kept() -> None:
    """A larger margin leaves room for fewer layers."""
    reports = [
        FitReport.of(MODEL, EngineSettings(n_ctx=1024, vram_margin_mib=margin), free=[400 * MIB]) for margin in (0, 384)
    ]
    assert [report.recommended.n_gpu_layers for report in reports] == [3, 0]
    assert [report.fits for report in reports] == [True, False]


def test_a_quantized_v_cache_goes_with_flash_attention() -> None:
    """It cannot do without, so no weights of all cells are kept."""
    plain, quantized = (
        FitReport.of(MODEL, EngineSettings(n_ctx=8192, type_v=kind), free=[MIB]) for kind in ("f16", "q8_0")
    )
    assert quantized.fit.rows[0].compute < plain.fit.rows[0].compute


def test_the_object_s_sizes_add_up() -> None:
    """Programs get each row in MiB, and what the recommended one leaves."""
    report = FitReport.of(MODEL, EngineSettings(n_ctx=1024), free=[700 * MIB]).as_object()
    for row in report["layers"]:
        assert row["weights_mib"] + row["kv_mib"] + row["compute_mib"] == pytest.approx(row["total_mib"], abs=0.02)
    best = report["recommended"]
    assert {key: best[key] for key in report["layers"][0]} == report["layers"][best["n_gpu_layers"]]
    assert best["left_mib"] == pytest.approx(700 - best["total_mib"])


def test_the_table_points_at_one_row() -> None:
    """The arrow is at the recommended row, and nowhere when nothing fits."""
    lines = FitReport.of(MODEL, EngineSettings(n_ctx=1024), free=[700 * MIB]).as_lines()
    assert len(lines) == 7
    assert [line.split()[1] for line in lines if line.startswith("->")] == ["3"]
    assert not [line for line in FitReport.of(MODEL, EngineSettings(), free=[MIB]).as_lines() if line.startswith("->")]


def test_of_several_cards_each_keeps_its_margin() -> None:
    """Four layers of 100 MiB need more than one card of 400 MiB has, and the tables say what goes where."""
    engine = EngineSettings(n_ctx=256, max_parallel=1, n_ubatch=32, vram_margin_mib=32)
    alone, both = (FitReport.of(MODEL, engine, free=[400 * MIB] * cards) for cards in (1, 2))
    assert [alone.recommended.n_gpu_layers, both.recommended.n_gpu_layers] == [3, 5]
    assert [card.layers for card in both.recommended.cards] == [3, 2]
    cards = both.as_object()["recommended"]["cards"]
    assert all(card["vram_mib"] == 400 and card["left_mib"] >= 32 for card in cards)
    assert both.as_object()["recommended"]["left_mib"] == min(card["left_mib"] for card in cards)
    assert [line.split()[-1] for line in both.as_lines()[-2:]] == ["0", "1"]


def test_the_owner_s_shares_go_before_the_free_memory() -> None:
    """With tensor_split, a card that is left out holds nothing."""
    engine = EngineSettings(n_ctx=256, max_parallel=1, n_ubatch=32, tensor_split=(0, 1))
    report = FitReport.of(MODEL, engine, free=[MIB * 4000] * 2)
    assert [card.layers for card in report.recommended.cards] == [0, 5]
    assert report.recommended.cards[0].weights == 0
