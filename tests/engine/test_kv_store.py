"""States fall from RAM to disk and come back, or are not trusted."""

import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.engine.kv_store import KvStore
from bot.engine.stored_state import (
    DamagedStateError,
    ForeignStateError,
    StateOwner,
    StoredState,
    read_state,
    write_state,
)
from bot.engine.token_log import TokenLog

BLOB = 10_000
Open = Callable[..., KvStore]


def state(name: str | None, text: bytes, *, fill: int = 7, user: str = "ann", checkpoint: bool = False) -> StoredState:
    """A state with one token a byte and a blob of 10,000 bytes."""
    log = TokenLog()
    log.append_prompt(text, [(letter, bytes((letter,)), False) for letter in text])
    blob = np.full(BLOB, fill, dtype=np.uint8)
    return StoredState(owner=StateOwner(conversation=name, user=user, checkpoint=checkpoint), log=log, blob=blob)


def anybody(_: StateOwner) -> bool:
    """Every owner."""
    return True


@pytest.fixture
def open_store(tmp_path: Path) -> Iterator[Open]:
    """Opens stores on one folder, as one process after the other does."""
    opened: list[KvStore] = []

    def open_one(ram: int = 1 << 20, disk: int = 1 << 20, fingerprint: str = "model") -> KvStore:
        store = KvStore(ram_limit=ram, disk_limit=disk, folder=tmp_path / "kv", fingerprint=fingerprint)
        opened.append(store)
        return store

    yield open_one
    for store in opened:
        store.close()


def text_of(store: KvStore, text: bytes) -> bytes | None:
    """The text of the state found for a prompt."""
    found = store.get(store.best(text, anybody)[0])
    return bytes(found.log.text) if found else None


def test_the_longest_common_start_is_found(open_store: Open) -> None:
    """Of several states the one that shares most of the prompt is found, whoever made it."""
    store = open_store()
    store.put(state("a", b"persona one"))
    store.put(state("b", b"persona two", user="bob"))
    key, shared = store.best(b"persona two and more", anybody)
    assert shared == len(b"persona two")
    found = store.get(key)
    assert found is not None
    assert found.owner.conversation == "b"
    assert store.best(b"persona two", lambda owner: owner.user == "ann")[1] == len(b"persona ")


def test_memory_of_a_state_that_is_replaced_can_be_used_again(open_store: Open) -> None:
    """Once, by the same conversation, and the state is gone from then on; all of the memory, not its used part."""
    store = open_store()
    old = state("a", b"hello")
    memory = np.zeros(2 * BLOB, dtype=np.uint8)
    store.put(replace(old, blob=memory[:BLOB]))
    assert store.take_memory(replace(old.owner, conversation="b"), old.log) is None
    assert store.take_memory(old.owner, old.log) is memory
    assert store.take_memory(old.owner, old.log) is None
    assert text_of(store, b"hello") is None
    store.put(state("a", b"hello there"))
    assert text_of(store, b"hello there") == b"hello there"


def test_memory_of_which_a_file_is_being_made_is_left_alone(open_store: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file would have half of one state and half of another."""
    store, writing, go_on = open_store(), threading.Event(), threading.Event()

    def slow_write(path: Path, written: StoredState, fingerprint: str) -> int:
        writing.set()
        assert go_on.wait(60)
        return write_state(path, written, fingerprint)

    monkeypatch.setattr("bot.engine.kv_store.write_state", slow_write)
    kept = state("a", b"hello")
    store.put(kept)
    store.save()
    assert writing.wait(60)
    assert store.take_memory(kept.owner, kept.log) is None
    go_on.set()
    store.flush()
    assert store.take_memory(kept.owner, kept.log) is kept.blob


def test_a_conversation_has_one_state(open_store: Open) -> None:
    """A newer state of a conversation replaces the older, in RAM and on disk."""
    store = open_store()
    for fill in (1, 2):
        store.put(state("a", b"hello" * fill, fill=fill))
        store.save()
        store.flush()
    assert store.ram_used < 2 * BLOB
    again = open_store()
    found = again.get(again.best(b"hellohello", anybody)[0])
    assert found is not None
    assert found.blob[0] == 2


def test_states_fall_from_ram_to_disk_and_come_back(open_store: Open) -> None:
    """With room for two in RAM, the third pushes the least recently used one to disk, from where it is read."""
    store = open_store(ram=int(2.5 * BLOB))
    for name in ("a", "b", "c"):
        store.put(state(name, name.encode() * 9, fill=ord(name)))
    store.flush()
    assert store.ram_used <= 2.5 * BLOB
    assert store.disk_used >= BLOB
    found = store.get(store.best(b"a" * 9, anybody)[0])
    assert found is not None
    assert (found.blob == ord("a")).all()


def test_the_disk_is_bounded(open_store: Open, tmp_path: Path) -> None:
    """The least recently used files go when the disk's share is full."""
    store = open_store(ram=0, disk=int(3.5 * BLOB))
    for name in "abcdef":
        store.put(state(name, name.encode() * 9))
        store.flush()
    assert sum(path.stat().st_size for path in (tmp_path / "kv").iterdir()) <= 3.5 * BLOB
    assert text_of(store, b"f" * 9) == b"f" * 9
    assert text_of(store, b"a" * 9) is None


def test_without_a_disk_what_falls_out_is_gone(open_store: Open) -> None:
    """With the disk switched off only RAM counts."""
    store = open_store(ram=int(1.5 * BLOB), disk=0)
    store.put(state("a", b"aaaa"))
    store.put(state("b", b"bbbb"))
    assert text_of(store, b"aaaa") is None
    assert text_of(store, b"bbbb") == b"bbbb"


def test_a_restart_finds_what_was_saved(open_store: Open) -> None:
    """What was closed properly is all there for the next process."""
    store = open_store()
    store.put(state("a", b"hello"))
    store.close()
    again = open_store()
    assert text_of(again, b"hello world") == b"hello"
    assert again.ram_used > 0


def test_a_repeated_request_replaces_its_shorter_self(open_store: Open) -> None:
    """Requests that name no conversation leave the longest of each line of talk only."""
    store = open_store()
    for text in (b"one", b"one two", b"one two three", b"another"):
        store.put(state(None, text))
    assert store.ram_used < 3 * BLOB
    assert text_of(store, b"one two three four") == b"one two three"
    assert text_of(store, b"another") == b"another"


@pytest.mark.parametrize("name", ["a", None], ids=["conversation", "request without one"])
def test_a_checkpoint_is_kept_beside_the_end(open_store: Open, name: str | None) -> None:
    """Each kind of state replaces its own kind only, also in the next process, and forgetting reaches both."""
    store = open_store()
    for text in (b"one", b"one two three"):
        store.put(state(name, text, checkpoint=True))
        store.put(state(name, text + b" two"))
    store.close()
    again = open_store()
    assert 2 * BLOB < again.disk_used < 3 * BLOB
    kinds = {bytes(entry.log.text): entry.owner.checkpoint for entry in again._entries.values()}
    assert kinds == {b"one two three": True, b"one two three two": False}
    again.forget(lambda owner: owner.user == "ann")
    again.flush()
    assert again.disk_used == 0
    assert text_of(again, b"one two three") is None


def test_what_a_state_can_give_is_up_to_the_model(open_store: Open, tmp_path: Path) -> None:
    """A shorter state that can be used is found before a longer one that cannot, and fetched ahead."""

    def whole(log: TokenLog, text: bytes) -> int:
        return len(log) if text.startswith(log.text) else 0

    store = open_store()
    store.put(state("a", b"one two", fill=1))
    store.put(state("b", b"one two three", fill=2))
    store.close()
    again = KvStore(ram_limit=1 << 20, disk_limit=1 << 20, folder=tmp_path / "kv", fingerprint="model", usable=whole)
    again.prefetch(b"one two thr")
    assert 0 < again.ram_used < 2 * BLOB
    assert text_of(again, b"one two thr") == b"one two"
    again.close()


@pytest.mark.parametrize("damage", ["cut", "flip", "empty", "foreign", "text"])
def test_a_damaged_or_foreign_file_is_dropped(
    open_store: Open, tmp_path: Path, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A file that was cut, changed, emptied or made for another model is never used, and is removed."""
    store = open_store()
    store.put(state("a", b"hello"))
    store.close()
    (path,) = (tmp_path / "kv").iterdir()
    content = bytearray(path.read_bytes())
    if damage == "cut":
        del content[-500:]
    elif damage == "flip":
        content[-1000] ^= 1
    elif damage == "empty":
        content.clear()
    elif damage == "text":
        content[60] ^= 1
    path.write_bytes(content)
    with caplog.at_level(logging.INFO):
        again = open_store(fingerprint="other" if damage == "foreign" else "model")
        assert text_of(again, b"hello") is None
        again.flush()
    assert not path.exists()
    assert "cannot be used" in caplog.text


def test_forgetting_reaches_the_disk(open_store: Open, tmp_path: Path) -> None:
    """A user's states are gone from RAM and disk, others' stay."""
    store = open_store()
    store.put(state("a", b"mine", user="ann"))
    store.put(state("b", b"theirs", user="bob"))
    store.save()
    store.flush()
    store.forget(lambda owner: owner.user == "ann")
    store.flush()
    assert text_of(store, b"mine") is None
    assert text_of(store, b"theirs") == b"theirs"
    assert len(list((tmp_path / "kv").iterdir())) == 1


def test_a_folder_that_cannot_be_written_leaves_ram(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Without a place on disk the store works in RAM and says so once."""
    (tmp_path / "kv").write_text("a file")
    store = KvStore(ram_limit=1 << 20, disk_limit=1 << 20, folder=tmp_path / "kv", fingerprint="model")
    store.put(state("a", b"hello"))
    store.save()
    store.flush()
    assert text_of(store, b"hello") == b"hello"
    assert "cannot be kept on disk" in caplog.text
    store.close()


@given(st.binary(max_size=400), st.integers(0, 400))
def test_any_change_of_a_file_is_noticed(tmp_path_factory: pytest.TempPathFactory, noise: bytes, at: int) -> None:
    """Whatever is written over a state's file, reading gives the state or an error, never another state."""
    folder = tmp_path_factory.mktemp("kv")
    path = folder / "x.kv"
    write_state(path, state("a", b"hello"), "model")
    content = bytearray(path.read_bytes())
    content[at : at + len(noise)] = noise
    path.write_bytes(content)
    try:
        found = read_state(path, "model")
    except (DamagedStateError, ForeignStateError):
        return
    assert bytes(found.log.text) == b"hello"
    assert (found.blob == 7).all()
