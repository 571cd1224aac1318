"""The KV state of a conversation outside of the context, and how it is written to a file."""

import json
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from bot.engine.token_log import TokenLog

_MAGIC = b"hearthbot-kv-2\n"
_LENGTHS = struct.Struct("<QQ")
"""Of the description and of the blob, in bytes."""
_CHECKSUM = struct.Struct("<I")
"""CRC-32, as in zip and PNG files: it finds what a disk or a power cut does to a file. A digest that also withstands
somebody who changes files on purpose takes longer than restoring; who can change these owns the daemon already."""
_PIECE = 4 << 20
"""Bytes that are read and summed up in turn, while they are in the processor's cache."""
_LARGEST_DESCRIPTION = 256 << 20


class DamagedStateError(Exception):
    """The file is cut short, changed or no state at all."""


class ForeignStateError(Exception):
    """The file belongs to another model, other settings or another version of the library."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StateOwner:
    """Whose prompt it is, and which state of it."""

    conversation: str | None
    """None for a request that named none."""
    user: str
    """Empty for what the daemon evaluated by itself."""
    checkpoint: bool = False
    """The state in front of the latest reply, kept beside the latest state where that cannot be cut."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredState:
    """What a sequence held: the log, and the bytes `llama_state_seq_get_data` gave for it."""

    owner: StateOwner
    log: TokenLog
    blob: NDArray[np.uint8]

    @property
    def size(self) -> int:
        """Bytes, near enough."""
        return self.blob.nbytes + len(self.log.text) + 32 * len(self.log)


def write_state(path: Path, state: StoredState, fingerprint: str) -> int:
    """Write a state so that a reader finds all of it or nothing; returns the file's size. Raises `OSError`.

    Layout: magic, lengths, description (JSON), its checksum, blob, checksum of description and blob.
    """
    description = json.dumps(
        {
            "fingerprint": fingerprint,
            "conversation": state.owner.conversation,
            "user": state.owner.user,
            "checkpoint": state.owner.checkpoint,
            "log": state.log.to_json(),
        }
    ).encode()
    head = _MAGIC + _LENGTHS.pack(len(description), state.blob.nbytes) + description
    blob = state.blob.data
    checksum = crc32(head)
    temporary = path.with_suffix(".part")
    try:
        with temporary.open("wb") as file:
            file.write(head)
            file.write(_CHECKSUM.pack(checksum))
            file.write(blob)
            file.write(_CHECKSUM.pack(crc32(blob, checksum)))
        # Without fsync: after a power cut the checksums find what is missing, and the history is simply read again.
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    return len(head) + state.blob.nbytes + 2 * _CHECKSUM.size


def read_description(path: Path, fingerprint: str) -> tuple[StateOwner, TokenLog]:
    """Read whose state a file has and for which text, without the blob.

    Raises `DamagedStateError`, `ForeignStateError` or `OSError`.
    """
    with path.open("rb") as file:
        return _read_head(file, fingerprint)[0]


def read_state(path: Path, fingerprint: str) -> StoredState:
    """Read and check a whole file. Raises `DamagedStateError`, `ForeignStateError` or `OSError`."""
    with path.open("rb") as file:
        (owner, log), checksum, blob_size = _read_head(file, fingerprint)
        if path.stat().st_size != file.tell() + blob_size + _CHECKSUM.size:
            raise DamagedStateError("wrong length")
        blob = np.empty(blob_size, dtype=np.uint8)
        for start in range(0, blob_size, _PIECE):
            piece = blob[start : start + _PIECE].data
            if file.readinto(piece) != len(piece):
                raise DamagedStateError("wrong length")
            checksum = crc32(piece, checksum)
        if file.read() != _CHECKSUM.pack(checksum):
            raise DamagedStateError("wrong checksum")
    return StoredState(owner=owner, log=log, blob=blob)


def _read_head(file: BinaryIO, fingerprint: str) -> tuple[tuple[StateOwner, TokenLog], int, int]:
    """The owner and the log, the checksum so far, and the size of the blob."""
    start = file.read(len(_MAGIC) + _LENGTHS.size)
    if not start.startswith(_MAGIC) or len(start) != len(_MAGIC) + _LENGTHS.size:
        raise DamagedStateError("no state")
    description_size, blob_size = _LENGTHS.unpack(start[len(_MAGIC) :])
    if description_size > _LARGEST_DESCRIPTION:
        raise DamagedStateError("no state")
    description = file.read(description_size)
    checksum = crc32(description, crc32(start))
    if file.read(_CHECKSUM.size) != _CHECKSUM.pack(checksum):
        raise DamagedStateError("wrong checksum")
    try:
        content = json.loads(description)
        if content["fingerprint"] != fingerprint:
            raise ForeignStateError("written for another model, other settings or another version")
        owner = StateOwner(conversation=content["conversation"], user=content["user"], checkpoint=content["checkpoint"])
        log = TokenLog.from_json(content["log"])
    except (ValueError, KeyError, TypeError, RecursionError):
        raise DamagedStateError("no state") from None
    return (owner, log), checksum, blob_size
