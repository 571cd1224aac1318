"""How a model is loaded, as plain numbers: what the probe tries, remembers and hands to the runner."""

import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

from bot.engine.cpu import physical_cores
from bot.engine.gpu_devices import gpu_devices
from bot.engine.gpu_fit import MIB, FitContext, GpuFit
from bot.engine.model_file import existing_gguf, peek
from bot.engine.model_shape import ModelShape
from bot.errors import ModelLoadError
from bot.settings import EngineSettings, ModelSettings

_LOGGER = logging.getLogger(__name__)

T = TypeVar("T")
ALL_LAYERS = -1
_UBATCH = 512
_FLOAT_TYPES = frozenset({"f32", "f16", "bf16"})


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadParams:
    """Everything llama.cpp is told when a model is loaded. Serialises to JSON and back."""

    path: str
    n_ctx: int
    """Window of one sequence, in tokens; the context has `n_ctx * max_parallel` cells."""
    max_parallel: int
    n_batch: int
    n_ubatch: int
    n_threads: int
    n_threads_batch: int
    n_gpu_layers: int
    """-1 is all of them."""
    main_gpu: int
    split_mode: str
    tensor_split: tuple[float, ...]
    type_k: str
    type_v: str
    flash_attn: bool | None
    """None leaves the choice to llama.cpp."""
    use_mmap: bool
    use_mlock: bool
    use_extra_bufts: bool
    """Repacked weights for the CPU's matrix units. Faster, but AMX crashes on some virtual machines."""
    rope: dict[str, Any]
    lora: tuple[tuple[str, float], ...]
    """Path and scale of each adapter."""
    tunable: tuple[str, ...] | None
    """Names of the fields that may be chosen by measuring, as the owner left them open; None for no measuring."""
    prefill_tokens_per_s: float | None
    """How fast a message is read here, where that was measured."""

    @classmethod
    def from_settings(
        cls, path: Path, model: ModelSettings, engine: EngineSettings, *, gpu_offload: bool
    ) -> "LoadParams":
        """What the owner asked for. `gpu_offload` is whether the installed library can use a GPU at all.

        Raises `ModelLoadError` for a LoRA adapter that is missing or damaged.
        """
        if engine.n_gpu_layers == "auto":
            layers = _fitting(path, engine) if gpu_offload else 0
        else:
            layers = engine.n_gpu_layers if gpu_offload else 0
        return cls(
            path=str(path),
            n_ctx=engine.n_ctx,
            max_parallel=engine.max_parallel,
            n_batch=engine.n_batch,
            n_ubatch=engine.n_ubatch or min(_UBATCH, engine.n_batch),
            n_threads=engine.n_threads or physical_cores(),
            n_threads_batch=engine.n_threads_batch or engine.n_threads or physical_cores(),
            n_gpu_layers=layers,
            main_gpu=engine.main_gpu,
            split_mode=engine.split_mode,
            tensor_split=engine.tensor_split,
            type_k=engine.type_k,
            type_v=engine.type_v,
            flash_attn=_flash_attn(engine, layers),
            use_mmap=engine.use_mmap,
            use_mlock=engine.use_mlock,
            use_extra_bufts=True,
            rope=engine.rope.model_dump(exclude_none=True),
            lora=tuple(
                (str(existing_gguf(lora.path, f"model.lora[{index}].path")), lora.scale)
                for index, lora in enumerate(model.lora)
            ),
            tunable=_tunable(engine),
            prefill_tokens_per_s=None,
        )

    def to_json(self) -> dict[str, Any]:
        """A mapping that `from_json` understands."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "LoadParams":
        """Read what `to_json` wrote, after a round through JSON."""
        tuples = {
            "tensor_split": tuple(data["tensor_split"]),
            "lora": tuple((path, scale) for path, scale in data["lora"]),
            "tunable": None if data["tunable"] is None else tuple(data["tunable"]),
        }
        return cls(**{**data, **tuples})


def _fitting(path: Path, engine: EngineSettings) -> int:
    """As many layers as the cards have memory for now; where that is unknown all of them, for the probe to try."""
    cards = used(gpu_devices(), engine)
    # Rows are spread over the cards in another way than layers are.
    if not cards or (len(cards) > 1 and engine.split_mode == "row"):
        return ALL_LAYERS
    try:
        model = ModelShape.of(peek(path))
    except ModelLoadError as error:
        _LOGGER.warning("n_gpu_layers: auto: %s: %s", path, error)
        return ALL_LAYERS
    free = [card.free for card in cards]
    fit = GpuFit.of(model, FitContext.of(engine), shares(engine, free))
    best = fit.best(free, engine.vram_margin_mib * MIB)
    _LOGGER.info(
        "n_gpu_layers: auto: %d, for %s MiB free", best.n_gpu_layers, " + ".join(str(each // MIB) for each in free)
    )
    return best.n_gpu_layers


def used(cards: Sequence[T], engine: EngineSettings) -> Sequence[T]:
    """Those of the cards that the settings let the model use; none where the only one they name is not there."""
    return cards[engine.main_gpu : engine.main_gpu + 1] if engine.split_mode == "none" else cards


def shares(engine: EngineSettings, free: Sequence[int]) -> Sequence[float]:
    """What the layers on each card are in proportion to: the owner's numbers, or, as in llama.cpp, the free memory."""
    given = engine.tensor_split[: len(free)]
    if len(free) > 1 and sum(given) > 0:
        return (*given, *[0.0] * (len(free) - len(given)))
    return free if sum(free) > 0 else [1.0] * len(free)


def _flash_attn(engine: EngineSettings, layers: int) -> bool | None:
    """Flash attention slows decoding on a CPU by a third, and a quantized V cache cannot do without it."""
    if engine.flash_attn != "auto":
        return engine.flash_attn
    if engine.type_v not in _FLOAT_TYPES:
        return True
    return None if layers else False


def _tunable(engine: EngineSettings) -> tuple[str, ...] | None:
    """What the owner left open. Threads set for writing are a limit that holds for reading too."""
    if engine.tune == "off" or engine.probe == "off":
        return None
    left_open = {
        "flash_attn": engine.flash_attn == "auto" and engine.type_v in _FLOAT_TYPES,
        "n_threads": engine.n_threads is None,
        "n_threads_batch": engine.n_threads_batch is None and engine.n_threads is None,
        "n_ubatch": engine.n_ubatch is None,
    }
    return tuple(name for name, is_open in left_open.items() if is_open)
