"""The tokens that one call of `llama_decode` evaluates."""

import ctypes
from collections.abc import Sequence as SequenceOf
from dataclasses import dataclass

import llama_cpp
import numpy as np


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchPart:
    """Consecutive tokens of one sequence in a batch."""

    seq_id: int
    position: int
    """Of the first token."""
    tokens: SequenceOf[int]
    wants_logits: bool
    """Whether the last token's logits are needed."""
    drafted: int = 0
    """How many of the last tokens are guesses: the logits in front of each are needed, too."""


class Batch:
    """A `llama_batch` on arrays that numpy can fill by slices. It is made once and filled again and again."""

    def __init__(self, *, size: int, sequences: int) -> None:
        """`size` is in tokens."""
        self._token = np.zeros(size, dtype=np.int32)
        self._pos = np.zeros(size, dtype=np.int32)
        self._n_seq_id = np.ones(size, dtype=np.int32)
        self._seq_id = np.zeros(size, dtype=np.uintp)
        """Pointers to ids."""
        self._logits = np.zeros(size, dtype=np.int8)
        self._seq_ids = np.arange(sequences, dtype=np.int32)
        self._seq_cells = [self._seq_ids.ctypes.data + index * self._seq_ids.itemsize for index in range(sequences)]
        seq_id_type = ctypes.POINTER(ctypes.POINTER(llama_cpp.llama_seq_id))
        self.native = llama_cpp.llama_batch(
            n_tokens=0,
            token=self._token.ctypes.data_as(ctypes.POINTER(llama_cpp.llama_token)),
            embd=None,
            pos=self._pos.ctypes.data_as(ctypes.POINTER(llama_cpp.llama_pos)),
            n_seq_id=self._n_seq_id.ctypes.data_as(ctypes.POINTER(ctypes.c_int32)),
            seq_id=self._seq_id.ctypes.data_as(seq_id_type),
            logits=self._logits.ctypes.data_as(ctypes.POINTER(ctypes.c_int8)),
        )

    def fill(self, parts: SequenceOf[BatchPart]) -> dict[int, int]:
        """Hold these parts and nothing else; returns where each sequence's first logits will be, by seq_id."""
        count = 0
        outputs: dict[int, int] = {}
        self._logits[:] = 0
        for part in parts:
            end = count + len(part.tokens)
            self._token[count:end] = part.tokens
            self._pos[count:end] = np.arange(part.position, part.position + len(part.tokens), dtype=np.int32)
            self._seq_id[count:end] = self._seq_cells[part.seq_id]
            if part.wants_logits:
                first = end - 1 - part.drafted
                self._logits[first:end] = 1
                outputs[part.seq_id] = first
            count = end
        self.native.n_tokens = count
        return outputs
