"""The only file that touches the llama context: load, decode, sample, and edit sequences."""

import ctypes
from collections.abc import Sequence as SequenceOf
from pathlib import Path

import llama_cpp
import numpy as np
from numpy.typing import NDArray

from bot.engine.batch import Batch, BatchPart
from bot.engine.llama_log import route_llama_log
from bot.engine.load_params import LoadParams
from bot.engine.sampler import Sampler
from bot.engine.vocabulary import Vocabulary
from bot.errors import EngineLostError, ModelLoadError

_SPLIT_MODES = {
    "none": llama_cpp.LLAMA_SPLIT_MODE_NONE,
    "layer": llama_cpp.LLAMA_SPLIT_MODE_LAYER,
    "row": llama_cpp.LLAMA_SPLIT_MODE_ROW,
}
_ROPE_TYPES = {
    "none": llama_cpp.LLAMA_ROPE_SCALING_TYPE_NONE,
    "linear": llama_cpp.LLAMA_ROPE_SCALING_TYPE_LINEAR,
    "yarn": llama_cpp.LLAMA_ROPE_SCALING_TYPE_YARN,
    "longrope": llama_cpp.LLAMA_ROPE_SCALING_TYPE_LONGROPE,
}
_FLASH_ATTN_TYPES = {None: -1, False: 0, True: 1}
"""`enum llama_flash_attn_type` in llama.h: AUTO, DISABLED, ENABLED."""
_NO_CELLS = 1
MOST_DRAFTED = 8
"""Guessed tokens in one batch. Each needs room for its logits: 0.6 MB for a vocabulary of 150,000."""


def gpu_offload_supported() -> bool:
    """Whether the installed llama.cpp was built for any GPU."""
    return bool(llama_cpp.llama_supports_gpu_offload())


def cpu_features() -> str:
    """The instruction sets that the installed llama.cpp was compiled with, in its own words."""
    llama_cpp.llama_backend_init()
    parts = llama_cpp.llama_print_system_info().decode(errors="replace").replace("CPU :", "").split("|")
    return " ".join(part.strip().removesuffix(" = 1") for part in parts if part.strip())


class NoCellsError(Exception):
    """`llama_decode` found no room for the batch; the context is as it was before."""


class Runner:
    """A loaded model with its context. Not thread-safe: everything runs on the thread that holds the inference lock."""

    def __init__(self, params: LoadParams) -> None:
        """Raises `ModelLoadError` when the model, a LoRA adapter or the memory for the context cannot be had."""
        route_llama_log()
        llama_cpp.llama_backend_init()
        self.params = params
        self._keep_alive: list[object] = []
        self._context: llama_cpp.llama_context_p | None = None
        self._model = llama_cpp.llama_model_load_from_file(params.path.encode(), self._model_params())
        if self._model is None:
            raise ModelLoadError(
                f"{params.path}: llama.cpp cannot load this model. The log above has its reason; "
                "most often the file is damaged, or newer than the installed llama-cpp-python."
            )
        try:
            self._open_context()
        except BaseException:
            self.close()
            raise

    def reopen(self, params: LoadParams) -> None:
        """Replace the context by an empty one for other settings of the same model.

        Raises `ModelLoadError` when it cannot be had; then there is none until one can.
        """
        llama_cpp.llama_free(self._context)
        self._context = None
        self.params = params
        self._open_context()

    def set_threads(self, n_threads: int, n_threads_batch: int) -> None:
        """Compute with other numbers of threads from now on, for one token and for several."""
        llama_cpp.llama_set_n_threads(self._context, n_threads, n_threads_batch)

    def _open_context(self) -> None:
        params = self.params
        self.vocabulary = Vocabulary(self._model)
        self._context = llama_cpp.llama_init_from_model(self._model, self._context_params())
        if self._context is None:
            raise ModelLoadError(
                f"no memory for {params.max_parallel} conversation(s) of {params.n_ctx} tokens; "
                "lower engine.n_ctx or engine.max_parallel, or set engine.type_k and type_v to q8_0"
            )
        self._memory = llama_cpp.llama_get_memory(self._context)
        self.n_ctx = int(llama_cpp.llama_n_ctx_seq(self._context))
        self.n_batch = int(llama_cpp.llama_n_batch(self._context))
        self._n_swa = int(llama_cpp.llama_model_n_swa(self._model))
        # Asked to forget a part, such a memory says no, or says yes and keeps it: it is one state, not cells.
        self.can_cut = not (
            llama_cpp.llama_model_is_recurrent(self._model) or llama_cpp.llama_model_is_hybrid(self._model)
        )
        """Whether a part of a sequence can be forgotten."""
        self._apply_lora()
        self._batch = Batch(size=self.n_batch, sequences=params.max_parallel)

    @property
    def description(self) -> str:
        """Architecture, size and quantization in llama.cpp's words, such as `llama 135M Q4_1`."""
        buffer = ctypes.create_string_buffer(256)
        llama_cpp.llama_model_desc(self._model, buffer, len(buffer))
        return buffer.value.decode(errors="replace")

    @property
    def chat_template(self) -> str | None:
        """The Jinja template in the GGUF file, if there is one."""
        template = llama_cpp.llama_model_chat_template(self._model, None)
        return template.decode(errors="replace") if template else None

    @property
    def needs_checkpoints(self) -> bool:
        """Whether there are prefixes of a sequence, or of a state from `save`, that cannot be cut out of it."""
        return not self.can_cut or 0 < self._n_swa < self.n_ctx

    def decode(self, parts: SequenceOf[BatchPart]) -> dict[int, int]:
        """Evaluate one batch; returns where each sequence's logits are, as seq_id to batch index.

        Where tokens were drafted it is the index of the first logits; the others follow.

        Raises `NoCellsError` when a sequence is full (nothing has changed then) and `EngineLostError` when the
        context cannot be trusted any more. Source of the return codes: `llama_decode` in llama.h.
        """
        outputs = self._batch.fill(parts)
        code = llama_cpp.llama_decode(self._context, self._batch.native)
        if code == _NO_CELLS:
            raise NoCellsError
        if code != 0:
            raise EngineLostError(f"llama_decode returned {code}")
        return outputs

    def sample(self, sampler: Sampler, index: int) -> int:
        """Choose and accept a token from the logits at a batch index."""
        return int(llama_cpp.llama_sampler_sample(sampler.pointer, self._context, index))

    def logits(self, index: int) -> NDArray[np.float32]:
        """A copy of the logits at a batch index, shape `(n_vocab,)`."""
        return self.logits_in_place(index).copy()

    def logits_in_place(self, index: int) -> NDArray[np.float32]:
        """The logits at a batch index, themselves, valid until the next `decode`.

        What is written there is what `sample` sees.
        """
        pointer = llama_cpp.llama_get_logits_ith(self._context, index)
        return np.ctypeslib.as_array(pointer, shape=(self.vocabulary.size,))

    def truncate(self, seq_id: int, length: int) -> bool:
        """Forget a sequence's tokens from position `length` on.

        False, with the sequence emptied, where `can_truncate` is.
        """
        if (
            length > 0
            and self.can_truncate(seq_id, length)
            and llama_cpp.llama_memory_seq_rm(self._memory, seq_id, length, -1)
        ):
            return True
        llama_cpp.llama_memory_seq_rm(self._memory, seq_id, -1, -1)
        return length == 0

    def can_truncate(self, seq_id: int, length: int) -> bool:
        """Whether a sequence can go on with the first `length` tokens of what it holds.

        Not with less than all in recurrent and hybrid models, nor where a sliding window's older cells are gone. They
        are all there while a sequence grows (`swa_full`), and after `restore` only those of the last window are.
        """
        return length == self.length(seq_id) or (self.can_cut and self._is_whole_until(seq_id, length))

    def can_roll_back(self, seq_id: int, length: int) -> bool:
        """Whether tokens that are evaluated behind the first `length` ones can be forgotten again."""
        return self.can_cut and self._is_whole_until(seq_id, length)

    def can_truncate_saved(self, held: int, length: int) -> bool:
        """The same for a state from `save` with `held` tokens, once it is restored."""
        return length == held or (self.can_cut and (self._n_swa == 0 or held <= self._n_swa))

    def cut(self, seq_id: int, start: int, end: int) -> bool:
        """Forget the tokens from `start` to before `end` and move those behind them up, evaluating nothing again.

        False, with nothing changed, where the model's memory cannot do that.
        """
        if not self.can_cut or self._n_swa or not llama_cpp.llama_memory_can_shift(self._memory):
            return False
        if not llama_cpp.llama_memory_seq_rm(self._memory, seq_id, start, end):
            return False
        llama_cpp.llama_memory_seq_add(self._memory, seq_id, end, -1, start - end)
        return True

    def copy(self, source: int, target: int) -> None:
        """Make `target` hold what `source` holds. Streams are separate, so the cells are copied."""
        llama_cpp.llama_memory_seq_rm(self._memory, target, -1, -1)
        llama_cpp.llama_memory_seq_cp(self._memory, source, target, -1, -1)

    def save(self, seq_id: int, memory: NDArray[np.uint8] | None = None) -> NDArray[np.uint8]:
        """A copy of what a sequence holds, for `restore`.

        It is written into `memory` where that fits and is not much too large: the first touch of fresh pages takes many
        times as long as the copy. Fresh memory has room for the same conversation some turns later; what is never
        touched takes no RAM.
        """
        size = llama_cpp.llama_state_seq_get_size(self._context, seq_id)
        if memory is None or not size <= memory.nbytes <= 2 * size:
            memory = np.empty(size + size // 4, dtype=np.uint8)
        pointer = memory.ctypes.data_as(ctypes.POINTER(ctypes.c_uint8))
        written = llama_cpp.llama_state_seq_get_data(self._context, pointer, size, seq_id)
        return memory[:written]

    def restore(self, seq_id: int, blob: NDArray[np.uint8]) -> bool:
        """Make a sequence hold what was saved. False, with the sequence emptied, where the context refuses it."""
        llama_cpp.llama_memory_seq_rm(self._memory, seq_id, -1, -1)
        pointer = blob.ctypes.data_as(ctypes.POINTER(ctypes.c_uint8))
        if llama_cpp.llama_state_seq_set_data(self._context, pointer, blob.nbytes, seq_id):
            return True
        llama_cpp.llama_memory_seq_rm(self._memory, seq_id, -1, -1)
        return False

    def length(self, seq_id: int) -> int:
        """Tokens a sequence holds."""
        return int(llama_cpp.llama_memory_seq_pos_max(self._memory, seq_id)) + 1

    def close(self) -> None:
        """Free context and model. Safe to call twice."""
        if self._context is not None:
            llama_cpp.llama_free(self._context)
            self._context = None
        if self._model is not None:
            llama_cpp.llama_model_free(self._model)
            self._model = None

    def _is_whole_until(self, seq_id: int, length: int) -> bool:
        """Whether the next token at `length` finds every cell its attention window needs."""
        first = int(llama_cpp.llama_memory_seq_pos_min(self._memory, seq_id))
        return self._n_swa == 0 or first <= max(0, length - self._n_swa)

    def _model_params(self) -> llama_cpp.llama_model_params:
        params = self.params
        native: llama_cpp.llama_model_params = llama_cpp.llama_model_default_params()
        native.n_gpu_layers = params.n_gpu_layers
        native.split_mode = _SPLIT_MODES[params.split_mode]
        native.main_gpu = params.main_gpu
        native.use_extra_bufts = params.use_extra_bufts
        native.load_mode = {
            (False, False): llama_cpp.LLAMA_LOAD_MODE_NONE,
            (True, False): llama_cpp.LLAMA_LOAD_MODE_MMAP,
            (False, True): llama_cpp.LLAMA_LOAD_MODE_MLOCK,
            (True, True): llama_cpp.LLAMA_LOAD_MODE_MMAP_MLOCK,
        }[(params.use_mmap, params.use_mlock)]
        if params.tensor_split:
            devices = llama_cpp.llama_max_devices()
            if len(params.tensor_split) > devices:
                raise ModelLoadError(
                    f"engine.tensor_split has {len(params.tensor_split)} shares, "
                    f"and llama.cpp sees at most {devices} device(s)"
                )
            shares = (ctypes.c_float * devices)(*params.tensor_split)
            self._keep_alive.append(shares)
            native.tensor_split = shares
        return native

    def _context_params(self) -> llama_cpp.llama_context_params:
        params = self.params
        native: llama_cpp.llama_context_params = llama_cpp.llama_context_default_params()
        native.n_ctx = params.n_ctx * params.max_parallel
        native.n_seq_max = params.max_parallel
        native.kv_unified = False
        native.n_batch = params.n_batch
        native.n_ubatch = params.n_ubatch
        # Only the last token of a part and drafted ones have logits. The library's default reserves room for n_batch
        # times the vocabulary: 300 MB for a vocabulary of 150,000.
        native.n_outputs_max = min(params.n_batch, params.max_parallel + MOST_DRAFTED)
        native.n_threads = params.n_threads
        native.n_threads_batch = params.n_threads_batch
        native.flash_attn_type = _FLASH_ATTN_TYPES[params.flash_attn]
        native.type_k = getattr(llama_cpp, f"GGML_TYPE_{params.type_k.upper()}")
        native.type_v = getattr(llama_cpp, f"GGML_TYPE_{params.type_v.upper()}")
        native.no_perf = True
        for key, value in params.rope.items():
            if key == "scaling_type":
                native.rope_scaling_type = _ROPE_TYPES[value]
            else:
                setattr(native, key if key.startswith("yarn") else f"rope_{key}", value)
        return native

    def _apply_lora(self) -> None:
        if not self.params.lora:
            return
        adapters = []
        for path, _ in self.params.lora:
            adapter = llama_cpp.llama_adapter_lora_init(self._model, path.encode())
            if not adapter:  # a NULL pointer object, not None
                hint = "does not fit this model" if Path(path).is_file() else "no such file"
                raise ModelLoadError(f"model.lora: {path}: {hint}")
            adapters.append(adapter)
        pointers = (llama_cpp.llama_adapter_lora_p_ctypes * len(adapters))(*adapters)
        scales = (ctypes.c_float * len(adapters))(*(scale for _, scale in self.params.lora))
        if llama_cpp.llama_set_adapters_lora(self._context, pointers, len(adapters), scales) != 0:
            raise ModelLoadError("model.lora: llama.cpp refuses these adapters")
