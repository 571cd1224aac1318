"""Reads what a GGUF file says about itself, without the model library and without trust in the file."""

import math
import os
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from bot.errors import ModelLoadError

_MAGIC = b"GGUF"
_VERSIONS = (2, 3)
_MAX_ENTRIES = 100_000  # metadata keys, tensors; real files have some thousands
_MAX_LAYERS = 4096  # elements of an array that says something of each layer; longer ones are about the vocabulary
_MAX_ARRAY = 8_000_000  # elements that have to be walked one by one; the largest vocabularies have 300,000
_MAX_NAME = 65_536  # bytes of a key or a tensor's name
_MAX_TEXT = 16_000_000  # bytes of one text
_MAX_DIMENSIONS = 4
_MAX_VERSION = 0xFFFF  # beyond, the bytes are the wrong way round

_STRING, _ARRAY = 8, 9
_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}

# elements in a block -> ggml type -> bytes of a block; from ggml's type_traits table
_BLOCK_BYTES = {
    1: {0: 4, 1: 2, 24: 1, 25: 2, 26: 4, 27: 8, 28: 8, 30: 2},
    32: {2: 18, 3: 20, 6: 22, 7: 24, 8: 34, 9: 36, 20: 18, 39: 17},
    256: dict(zip(range(10, 20), (84, 110, 144, 176, 210, 292, 66, 74, 98, 50), strict=True))
    | {21: 110, 22: 82, 23: 136, 29: 56, 34: 54, 35: 66},
    64: {40: 36},
    128: {41: 18},
}

Scalar = str | int | float | bool


class _DamagedError(Exception):
    """The bytes make no sense; the text says where."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GgufTensor:
    """What the header says about one tensor."""

    name: str
    dims: tuple[int, ...]
    """Elements in each dimension, the one that is contiguous in memory first."""
    type: int
    """A value of `enum ggml_type` in ggml.h."""
    bytes: int | None
    """Size of its data; None where the type is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GgufHeader:
    """The header of a GGUF file (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md)."""

    version: int
    metadata: Mapping[str, Scalar]
    """Every single value."""
    arrays: Mapping[str, tuple[Scalar, ...]]
    """Arrays of numbers that are no longer than a model has layers; the vocabulary is left out."""
    tensors: tuple[GgufTensor, ...]
    data_end: int
    """Least size of the whole file, in bytes."""
    size: int
    """Bytes it has."""

    @property
    def complete(self) -> bool:
        """Whether the file is as long as its header says."""
        return self.data_end <= self.size

    @classmethod
    def read(cls, path: Path) -> "GgufHeader":
        """Read and check the header of `path`.

        Raises `ModelLoadError` for a file that cannot be read, is no GGUF file, is damaged or is not all there.
        """
        header = cls.peek(path)
        if not header.complete:
            raise ModelLoadError(
                f"{path} is not all there: it has {header.size:,} bytes of at least {header.data_end:,}. "
                "Its download was probably broken off; download it again."
            )
        return header

    @classmethod
    def peek(cls, path: Path) -> "GgufHeader":
        """As `read`, of a file whose tensors need not be there."""
        try:
            with path.open("rb") as file:
                size = os.fstat(file.fileno()).st_size
                return _Reader(file, size).header(path)
        except OSError as error:
            raise ModelLoadError(f"{path} cannot be read: {error.strerror or error}") from error
        except _DamagedError as error:
            raise ModelLoadError(
                f"{path} is damaged or not all there: {error}. Delete it and download it again."
            ) from error


class _Reader:
    """A cursor in the file; every read is bounded by the file's size."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file = file
        self._size = size

    def header(self, path: Path) -> GgufHeader:
        start = self._file.read(512)
        if not start.startswith(_MAGIC):
            raise ModelLoadError(f"{path} is not a GGUF file{_what_it_is(start)}")
        self._file.seek(len(_MAGIC))
        version = self._number("I")
        if version not in _VERSIONS:
            raise ModelLoadError(
                f"{path} is a GGUF file of version {version}{' (or big-endian)' if version > _MAX_VERSION else ''}; "
                f"this program reads {' and '.join(map(str, _VERSIONS))}. Look for a newer conversion of the model."
            )
        tensors = self._count("tensors")
        metadata: dict[str, Scalar] = {}
        arrays: dict[str, tuple[Scalar, ...]] = {}
        for _ in range(self._count("metadata keys")):
            key = self._text(_MAX_NAME)
            kind = self._number("I")
            if kind != _ARRAY:
                metadata[key] = self._value(kind)
            elif array := self._array():
                arrays[key] = array
        infos = [self._tensor() for _ in range(tensors)]
        ends = [offset + (tensor.bytes or 0) for tensor, offset in infos]
        alignment = metadata.get("general.alignment", 32)
        if not isinstance(alignment, int) or not 0 < alignment <= 1 << 20:
            raise _DamagedError(f"its alignment is {alignment}")
        data_start = -(-self._file.tell() // alignment) * alignment
        data_end = data_start + max(ends) if ends else self._file.tell()
        return GgufHeader(
            version=version,
            metadata=metadata,
            arrays=arrays,
            tensors=tuple(tensor for tensor, _ in infos),
            data_end=data_end,
            size=self._size,
        )

    def _take(self, size: int) -> bytes:
        data = self._file.read(size)
        if len(data) != size:
            raise _DamagedError("it ends in the middle of its header")
        return data

    def _skip(self, size: int) -> None:
        if self._file.tell() + size > self._size:
            raise _DamagedError("it ends in the middle of its header")
        self._file.seek(size, os.SEEK_CUR)

    def _number(self, code: str) -> int:
        (number,) = struct.unpack(f"<{code}", self._take(struct.calcsize(code)))
        return int(number)

    def _count(self, what: str) -> int:
        count = self._number("Q")
        if count > _MAX_ENTRIES:
            raise _DamagedError(f"it claims to have {count:,} {what}")
        return count

    def _text(self, limit: int) -> str:
        size = self._number("Q")
        if size > limit:
            raise _DamagedError(f"it has a text of {size:,} bytes in its header")
        return self._take(size).decode("utf-8", "replace")

    def _value(self, kind: int) -> Scalar:
        """A single value."""
        if kind == _STRING:
            return self._text(_MAX_TEXT)
        code = _SCALARS.get(kind)
        if code is None:
            raise _DamagedError(f"it has a value of the unknown kind {kind} in its header")
        value: Scalar = struct.unpack(f"<{code}", self._take(struct.calcsize(code)))[0]
        return value

    def _array(self) -> tuple[Scalar, ...]:
        """The numbers of a short array; any other is passed over."""
        kind, count = self._number("I"), self._number("Q")
        if code := _SCALARS.get(kind):
            size = count * struct.calcsize(code)
            if count <= _MAX_LAYERS:
                return struct.unpack(f"<{count}{code}", self._take(size))
            self._skip(size)
            return ()
        if kind != _STRING or count > _MAX_ARRAY:
            raise _DamagedError(f"it has an array of {count:,} values of kind {kind} in its header")
        for _ in range(count):
            size = self._number("Q")
            if size > _MAX_TEXT:
                raise _DamagedError(f"it has a text of {size:,} bytes in its header")
            self._take(size)
        return ()

    def _tensor(self) -> tuple[GgufTensor, int]:
        """A tensor, and where its data begins, in bytes from the start of all data."""
        name = self._text(_MAX_NAME)
        dimensions = self._number("I")
        if dimensions > _MAX_DIMENSIONS:
            raise _DamagedError(f"it has a tensor of {dimensions} dimensions")
        dims = tuple(self._number("Q") for _ in range(dimensions))
        kind, offset = self._number("I"), self._number("Q")
        elements = math.prod(dims)
        size = next((elements // n * sizes[kind] for n, sizes in _BLOCK_BYTES.items() if kind in sizes), None)
        return GgufTensor(name=name, dims=dims, type=kind, bytes=size), offset


def _what_it_is(start: bytes) -> str:
    """What a file really is, as far as its first bytes tell, and what to do."""
    text = start.lstrip().lower()
    if not start:
        return ": it is empty. Download it again."
    if text.startswith((b"<!doctype", b"<html")):
        return ": it is a web page. Download the file itself, with the download link of that page."
    if text.startswith(b"version https://git-lfs"):
        return ": it is a Git LFS pointer. Run `git lfs pull` where you cloned it."
    if start[:4] in {b"lmgg", b"fmgg", b"tjgg", b"algg"}:
        return ": it is of the GGML format that came before. Look for a GGUF conversion of the model."
    if start.startswith(b"PK\x03\x04") or start[8:9] == b"{":
        return ": it is a PyTorch or safetensors file. Look for a GGUF conversion of the model."
    return ". Look for a file of the model whose name ends in .gguf."
