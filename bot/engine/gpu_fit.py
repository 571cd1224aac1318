"""How much of the graphics cards' memory a model takes, for each number of layers there. Nothing is loaded for that."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from bot.engine.model_shape import LayerShape, ModelShape
from bot.settings import EngineSettings

MIB = 2**20
_KV_BLOCKS = {
    "f32": (1, 4),
    "f16": (1, 2),
    "bf16": (1, 2),
    "q8_0": (32, 34),
    "q5_1": (32, 24),
    "q5_0": (32, 22),
    "q4_1": (32, 20),
    "q4_0": (32, 18),
    "iq4_nl": (32, 18),
}
"""Numbers in a block and its bytes; from ggml's type_traits table."""
_CELLS = 256
"""llama.cpp rounds the cells of a sequence up to a multiple of this."""
_F32 = 4
_UBATCH = 512
"""What measuring chooses at most, where the settings leave it open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FitContext:
    """What of the settings costs memory on the card."""

    n_ctx: int
    """Window of one sequence, in tokens."""
    max_parallel: int
    n_ubatch: int
    type_k: str
    type_v: str
    flash_attn: bool
    """Whether it is certain."""

    @classmethod
    def of(cls, engine: EngineSettings) -> "FitContext":
        """What the settings ask for. A quantized V cache cannot do without flash attention."""
        return cls(
            n_ctx=engine.n_ctx,
            max_parallel=engine.max_parallel,
            n_ubatch=engine.n_ubatch or min(_UBATCH, engine.n_batch),
            type_k=engine.type_k,
            type_v=engine.type_v,
            flash_attn=engine.flash_attn is True or _KV_BLOCKS[engine.type_v][0] > 1,
        )

    @property
    def cells(self) -> int:
        """KV cells of one sequence."""
        return _rounded_up(self.n_ctx, _CELLS)

    @property
    def tokens(self) -> int:
        """Most tokens that are computed at once: never more than all windows have."""
        return min(self.n_ubatch, self.n_ctx * self.max_parallel)


@dataclass(frozen=True, slots=True, kw_only=True)
class CardShare:
    """What of some number of layers one card takes, in bytes."""

    layers: int
    """How many of them; the output is one."""
    weights: int
    kv: int
    compute: int

    @property
    def total(self) -> int:
        """All of it together."""
        return self.weights + self.kv + self.compute


@dataclass(frozen=True, slots=True, kw_only=True)
class FitRow:
    """What some number of layers takes on all cards, in bytes."""

    n_gpu_layers: int
    cards: tuple[CardShare, ...]

    @property
    def weights(self) -> int:
        """The model's own numbers."""
        return sum(card.weights for card in self.cards)

    @property
    def kv(self) -> int:
        """The cache of all windows."""
        return sum(card.kv for card in self.cards)

    @property
    def compute(self) -> int:
        """What the cards compute with."""
        return sum(card.compute for card in self.cards)

    @property
    def total(self) -> int:
        """All of it together."""
        return sum(card.total for card in self.cards)

    def left(self, free: Sequence[int]) -> int:
        """Bytes that remain on the card with the least of them; below 0 where one has too few."""
        return min(there - card.total for there, card in zip(free, self.cards, strict=True))


@dataclass(frozen=True, slots=True)
class GpuFit:
    """The choices for a model on one card, or on several that have its layers one after the other."""

    rows: tuple[FitRow, ...]
    """From no layer to all of them and the output; on one card each takes at least as much as the one before."""

    @classmethod
    def of(cls, model: ModelShape, context: FitContext, split: Sequence[float] = (1,)) -> "GpuFit":
        """Calculate every row. `split` has a number for each card, to which the layers on it are in proportion.

        `n_gpu_layers` counts from the end of the model, and the output is one of them. Which one has changed: for the
        llama.cpp of 2023 to 2025 it was the one after all the others, for later ones it is the first. A row holds for
        both: on each card it is the more expensive of the two.
        """
        count = len(model.layers)
        rows = []
        for number in range(count + 2):
            last = _cards(model, context, split, repeating=min(number, count), output=number > count)
            first = _cards(model, context, split, repeating=max(number - 1, 0), output=number > 0)
            cards = tuple(max(each, key=lambda card: card.total) for each in zip(last, first, strict=True))
            rows.append(FitRow(n_gpu_layers=number, cards=cards))
        return cls(tuple(rows))

    def best(self, free: Sequence[int], margin: int) -> FitRow:
        """The row with most layers that leaves `margin` of each card's `free` bytes; that of no layer if none does."""
        return next((row for row in reversed(self.rows) if row.left(free) >= margin), self.rows[0])


def _cards(
    model: ModelShape, context: FitContext, split: Sequence[float], *, repeating: int, output: bool
) -> list[CardShare]:
    """What the last `repeating` layers take on each card, and the output if it is there too.

    Layers go to the cards in llama.cpp's way (`llama_model::load_tensors`): a layer is where its place among those on
    the cards, as a fraction, falls into the cards' summed shares.
    """
    start = len(model.layers) - repeating
    count = repeating + output
    compute = max(_phases(model, context, copied=max((layer.largest for layer in model.layers[:start]), default=0)))
    if len(split) > 1 and output and not start:
        compute += _pipelined(model, context)
    bounds = [bound / sum(split) for bound in accumulate(split)]
    cards = [min(bisect_right(bounds, place / count), len(split) - 1) for place in range(count)]
    shares = []
    for card in range(len(split)):
        on_card = [layer for layer, its_card in zip(model.layers[start:], cards, strict=False) if its_card == card]
        has_output = output and cards[-1] == card
        layers = len(on_card) + has_output
        shares.append(
            CardShare(
                layers=layers,
                weights=sum(layer.weights for layer in on_card) + has_output * model.output,
                kv=sum(_kv(layer, context) for layer in on_card),
                compute=compute if layers or card == 0 else 0,  # the first one helps to read even without a layer
            )
        )
    return shares


def _kv(layer: LayerShape, context: FitContext) -> int:
    per_cell = _kv_bytes(layer.k_width, context.type_k) + _kv_bytes(layer.v_width, context.type_v)
    return context.max_parallel * (context.cells * per_cell + layer.state)


def _kv_bytes(width: int, kind: str) -> int:
    numbers, size = _KV_BLOCKS[kind]
    return _rounded_up(width, numbers) // numbers * size


def _phases(model: ModelShape, context: FitContext, *, copied: int) -> Iterator[int]:
    """The most that a step computes with at once: llama.cpp reuses the memory of one phase for the next.

    Every number is an f32, for each of the tokens that are computed at once.

    - Attention: each head weighs every cell (none of that is kept with flash attention), plus a mask (f16 with flash
      attention; two, where layers differ in what they see), five vectors of n_embd, and what the token adds to K and
      V. Where `flash_attn` is auto this assumes the worse case.
    - Feed-forward: two vectors of n_ff, six of n_embd, mask, K and V, plus a copy of the largest tensor that is left
      in system memory, because the card reads long prompts with those layers too (`op_offload` in llama.h).
    - Output: one vector of n_vocab for each sequence, as only the last token of a prompt has logits, and n_embd.

    This is what the library in use logs ("compute buffer size"), within 3 % on the processor and 6 % on a card. For
    Llama-2 13B with n_ctx 2048 it is 160 + 4 + 70 = 234 MiB; the llama.cpp of 2023, whose log says 194, kept fewer
    vectors.
    """
    weighed, mask = model.n_head * context.cells, context.cells * (1 + model.sliding)
    if context.flash_attn:
        weighed, mask = 0, mask // 2
    added = max((layer.k_width + layer.v_width for layer in model.layers), default=0)
    yield _F32 * context.tokens * (weighed + mask + 5 * model.n_embd + added)
    yield _F32 * context.tokens * (mask + 2 * model.n_ff + 6 * model.n_embd + added) + copied
    yield _F32 * (context.max_parallel * model.n_vocab + context.tokens * (mask + model.n_embd))


def _pipelined(model: ModelShape, context: FitContext) -> int:
    """What each of several cards keeps besides when all of the model is there, and they work one behind the other.

    Three more copies of what a step begins with: its tokens' vectors, and the mask (`GGML_SCHED_MAX_COPIES`,
    "pipeline parallelism enabled" in the log).
    """
    mask = context.cells * (1 + model.sliding)
    return 3 * _F32 * context.tokens * (model.n_embd + (mask // 2 if context.flash_attn else mask))


def _rounded_up(number: int, multiple: int) -> int:
    return -(-number // multiple) * multiple
