"""Conversations that gave up their sequence: their KV states in RAM, then on disk.

Thread-safe. The inference thread puts and takes; reading and writing files happens on other threads, so that the
inference lock is never held longer than the copy out of the context takes.
"""

import hashlib
import logging
import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bot.engine.stored_state import (
    DamagedStateError,
    ForeignStateError,
    StateOwner,
    StoredState,
    read_description,
    read_state,
    write_state,
)
from bot.engine.token_log import TokenLog

_LOGGER = logging.getLogger(__name__)
_SUFFIX = ".kv"


@dataclass(slots=True, kw_only=True)
class _Entry:
    """One state, in RAM, on disk or both."""

    key: str
    owner: StateOwner
    log: TokenLog
    state: StoredState | None = None
    """None when only on disk."""
    disk_size: int = 0
    """Bytes of the file; 0 when it is not on disk."""
    being_written: bool = False
    """Whether a file is made of the state now."""


class KvStore:
    """Least recently used states fall from RAM to disk, and from disk into oblivion."""

    def __init__(
        self,
        *,
        ram_limit: int,
        disk_limit: int,
        folder: Path,
        fingerprint: str,
        usable: Callable[[TokenLog, bytes], int] = TokenLog.common_tokens,
    ) -> None:
        """Limits are bytes; 0 switches a tier off. `fingerprint` tells which states fit the loaded model.

        `usable` tells how many tokens of a prompt's start a state can give; called from any thread.
        """
        self._ram_limit = ram_limit
        self._disk_limit = disk_limit
        self._folder = folder
        self._fingerprint = fingerprint
        self._usable = usable
        self._lock = threading.Lock()
        self._entries: OrderedDict[str, _Entry] = OrderedDict()
        """Least recently used first."""
        self._writer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="kv-writer")
        if disk_limit:
            self._index_disk()

    def take_memory(self, owner: StateOwner, log: TokenLog) -> NDArray[np.uint8] | None:
        """Drop the state in RAM that one of this owner and log is about to replace; returns its memory.

        None where there is no such state, or a file is being made of it.
        """
        with self._lock:
            entry = self._entries.get(_key(owner, log))
            if entry is None or entry.state is None or entry.being_written:
                return None
            del self._entries[entry.key]
            blob = entry.state.blob
            return blob if blob.base is None else blob.base

    def put(self, state: StoredState) -> None:
        """Keep a state, in place of what its conversation had before; a checkpoint replaces a checkpoint only."""
        key = _key(state.owner, state.log)
        with self._lock:
            self._drop_prefixes_of(state)
            entry = self._entries.setdefault(key, _Entry(key=key, owner=state.owner, log=state.log))
            entry.log, entry.state, entry.disk_size = state.log, state, 0
            self._entries.move_to_end(key)
            fallen = self._shrink_ram()
        for each in fallen:
            self._write_later(each)

    def save(self) -> None:
        """Write everything that is only in RAM to disk, in the background."""
        with self._lock:
            unsaved = [entry for entry in self._entries.values() if entry.state is not None and not entry.disk_size]
        for entry in unsaved:
            self._write_later(entry)

    def best(self, text: bytes, may_use: Callable[[StateOwner], bool]) -> tuple[str, int]:
        """The key of the state that gives most of a text's start, and how many tokens; ("", 0) for none."""
        with self._lock:
            usable = (
                (entry.key, self._usable(entry.log, text)) for entry in self._entries.values() if may_use(entry.owner)
            )
            best = max(usable, key=lambda pair: pair[1], default=("", 0))
            return best if best[1] else ("", 0)

    def of(self, owner: StateOwner) -> tuple[str, TokenLog] | None:
        """The key and the log of a conversation's own state."""
        with self._lock:
            entry = self._entries.get(_key(owner, TokenLog()))
            return (entry.key, entry.log) if entry is not None and owner.conversation is not None else None

    def get(self, key: str) -> StoredState | None:
        """The state, from RAM or disk; None when it is gone or its file is not to be trusted."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is None:
                return None
            self._entries.move_to_end(key)
            if entry.state is not None:
                return entry.state
        state = self._read(entry)
        if state is None:
            return None
        with self._lock:
            entry.state = state
            fallen = self._shrink_ram(keep=key)
        for each in fallen:
            self._write_later(each)
        return state

    def prefetch(self, text: bytes) -> None:
        """Read the state that a prompt will want from disk, so that the inference thread need not."""
        key, tokens = self.best(text, lambda _: True)
        if tokens:
            self.get(key)

    def forget(self, may_forget: Callable[[StateOwner], bool]) -> None:
        """Drop states by their owner, from RAM and disk."""
        with self._lock:
            dropped = [entry for entry in self._entries.values() if may_forget(entry.owner)]
            for entry in dropped:
                del self._entries[entry.key]
        for entry in dropped:
            self._writer.submit(self._unlink, entry)

    def flush(self) -> None:
        """Wait until everything queued for the disk is there."""
        self._writer.submit(lambda: None).result()

    def close(self) -> None:
        """Save what is worth keeping and stop the writer."""
        self.save()
        self._writer.shutdown()

    @property
    def entries(self) -> int:
        """How many states there are, in RAM or on disk."""
        return len(self._entries)

    @property
    def ram_used(self) -> int:
        """Bytes of states in RAM."""
        with self._lock:
            return self._ram_used()

    @property
    def disk_used(self) -> int:
        """Bytes of states on disk."""
        with self._lock:
            return sum(entry.disk_size for entry in self._entries.values())

    # RAM

    def _ram_used(self) -> int:
        return sum(entry.state.size for entry in self._entries.values() if entry.state is not None)

    def _drop_prefixes_of(self, state: StoredState) -> None:
        """A request without a conversation repeats everything: what it sent before is a part of what it sends now."""
        if state.owner.conversation is not None:
            return
        for entry in list(self._entries.values()):
            if (
                entry.owner == state.owner
                and state.log.text.startswith(entry.log.text)
                and entry.key != _key(state.owner, state.log)
            ):
                del self._entries[entry.key]
                self._writer.submit(self._unlink, entry)

    def _shrink_ram(self, keep: str = "") -> list[_Entry]:
        """Let states fall out of RAM; returns those that have yet to be written."""
        unwritten = []
        used = self._ram_used()
        for entry in list(self._entries.values()):
            if used <= self._ram_limit:
                break
            if entry.state is None or entry.key == keep:
                continue
            used -= entry.state.size
            if entry.disk_size:
                entry.state = None
            elif self._disk_limit:
                unwritten.append(entry)  # its state goes when it is written
            else:
                del self._entries[entry.key]
        return unwritten

    # disk

    def _path(self, key: str) -> Path:
        return self._folder / f"{key}{_SUFFIX}"

    def _index_disk(self) -> None:
        """Find what an earlier process left, the least recently used first."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            for leftover in self._folder.glob("*.part"):
                leftover.unlink(missing_ok=True)
            files = sorted(self._folder.glob(f"*{_SUFFIX}"), key=lambda path: path.stat().st_mtime)
        except OSError as error:
            _LOGGER.warning("KV states cannot be kept on disk: %s", error)
            self._disk_limit = 0
            return
        for path in files:
            try:
                owner, log = read_description(path, self._fingerprint)
                entry = _Entry(key=path.stem, owner=owner, log=log, disk_size=path.stat().st_size)
            except (DamagedStateError, ForeignStateError, OSError, ValueError, KeyError, TypeError) as error:
                _LOGGER.info("dropping a KV state that cannot be used: %s", error)
                path.unlink(missing_ok=True)
            else:
                self._entries[entry.key] = entry
        self._shrink_disk()

    def _read(self, entry: _Entry) -> StoredState | None:
        try:
            state = read_state(self._path(entry.key), self._fingerprint)
        except (DamagedStateError, ForeignStateError, OSError, ValueError, KeyError, TypeError) as error:
            _LOGGER.warning("a KV state on disk cannot be used, the history is read again: %s", error)
            with self._lock:
                if self._entries.get(entry.key) is entry and entry.state is None:
                    del self._entries[entry.key]
            self._unlink(entry)
            return None
        return state

    def _write_later(self, entry: _Entry) -> None:
        if self._disk_limit:
            self._writer.submit(self._write, entry)

    def _write(self, entry: _Entry) -> None:
        with self._lock:
            state = entry.state
            if state is None or self._entries.get(entry.key) is not entry:
                return
            entry.being_written = True
        try:
            size = write_state(self._path(entry.key), state, self._fingerprint)
        except OSError as error:
            _LOGGER.warning("a KV state could not be written: %s", error)
            size = 0
        with self._lock:
            entry.being_written = False
            if self._entries.get(entry.key) is not entry:
                self._path(entry.key).unlink(missing_ok=True)
                return
            if entry.state is state:
                entry.disk_size = size
            over = self._ram_used() > self._ram_limit
            if over and entry.state is state:
                entry.state = None
                if not size:
                    del self._entries[entry.key]
            self._shrink_disk()

    def _shrink_disk(self) -> None:
        used = sum(entry.disk_size for entry in self._entries.values())
        for entry in list(self._entries.values()):
            if used <= self._disk_limit:
                return
            if entry.disk_size:
                used -= entry.disk_size
                entry.disk_size = 0
                self._path(entry.key).unlink(missing_ok=True)
                if entry.state is None:
                    del self._entries[entry.key]

    def _unlink(self, entry: _Entry) -> None:
        try:
            self._path(entry.key).unlink(missing_ok=True)
        except OSError as error:
            _LOGGER.warning("a KV state could not be deleted: %s", error)


def _key(owner: StateOwner, log: TokenLog) -> str:
    """A file name: the conversation's, or for a request without one its text's."""
    if owner.conversation is not None:
        source = b"conversation\0" + owner.conversation.encode()
    else:
        source = b"text\0" + owner.user.encode() + b"\0" + bytes(log.text)
    if owner.checkpoint:
        source = b"checkpoint\0" + source
    return hashlib.sha256(source).hexdigest()[:40]
