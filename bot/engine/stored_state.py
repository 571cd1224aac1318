"""The KV state of a conversation outside of the context, and how it is written to a file."""

import hashlib
import json
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from bot.engine.token_log import TokenLog

_MAGIC = b"hearthbot-kv-1\n"
_LENGTHS = struct.Struct("<QQ")
"""Of the description and of the blob, in bytes."""
_DIGEST_SIZE = 32
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

    Layout: magic, lengths, description (JSON), its digest, blob, digest of everything before.
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
    digest = hashlib.blake2b(head, digest_size=_DIGEST_SIZE)
    head_digest = digest.digest()
    digest.update(blob)
    temporary = path.with_suffix(".part")
    try:
        with temporary.open("wb") as file:
            file.write(head)
            file.write(head_digest)
            file.write(blob)
            file.write(digest.digest())
        # Without fsync: after a power cut the digests find what is missing, and the history is simply read again.
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    return len(head) + state.blob.nbytes + 2 * _DIGEST_SIZE


def read_description(path: Path, fingerprint: str) -> tuple[StateOwner, TokenLog]:
    """Read whose state a file has and for which text, without the blob.

    Raises `DamagedStateError`, `ForeignStateError` or `OSError`.
    """
    with path.open("rb") as file:
        return _read_head(file, fingerprint)[0]


def read_state(path: Path, fingerprint: str) -> StoredState:
    """Read and check a whole file. Raises `DamagedStateError`, `ForeignStateError` or `OSError`."""
    with path.open("rb") as file:
        (owner, log), head, blob_size = _read_head(file, fingerprint)
        if path.stat().st_size != file.tell() + blob_size + _DIGEST_SIZE:
            raise DamagedStateError("wrong length")
        blob = np.fromfile(file, dtype=np.uint8, count=blob_size)
        digest = hashlib.blake2b(head, digest_size=_DIGEST_SIZE)
        digest.update(blob.data)
        if file.read() != digest.digest():
            raise DamagedStateError("wrong checksum")
    return StoredState(owner=owner, log=log, blob=blob)


def _read_head(file: BinaryIO, fingerprint: str) -> tuple[tuple[StateOwner, TokenLog], bytes, int]:
    start = file.read(len(_MAGIC) + _LENGTHS.size)
    if not start.startswith(_MAGIC) or len(start) != len(_MAGIC) + _LENGTHS.size:
        raise DamagedStateError("no state")
    description_size, blob_size = _LENGTHS.unpack(start[len(_MAGIC) :])
    if description_size > _LARGEST_DESCRIPTION:
        raise DamagedStateError("no state")
    description = file.read(description_size)
    if file.read(_DIGEST_SIZE) != hashlib.blake2b(start + description, digest_size=_DIGEST_SIZE).digest():
        raise DamagedStateError("wrong checksum")
    try:
        content = json.loads(description)
        if content["fingerprint"] != fingerprint:
            raise ForeignStateError("written for another model, other settings or another version")
        owner = StateOwner(conversation=content["conversation"], user=content["user"], checkpoint=content["checkpoint"])
        log = TokenLog.from_json(content["log"])
    except (ValueError, KeyError, TypeError, RecursionError):
        raise DamagedStateError("no state") from None
    return (owner, log), start + description, blob_size
