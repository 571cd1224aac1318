"""Which KV states fit a loaded model."""

import hashlib
import json
from importlib.metadata import version
from pathlib import Path

from bot.engine.load_params import LoadParams

_SAMPLE = 1 << 20
"""Bytes read from each end of the model file. Its size, its time and these tell a replaced file."""


def file_fingerprint(path: Path) -> str:
    """A digest of a file's size, modification time and ends; reading a whole model would take seconds."""
    stat = path.stat()
    digest = hashlib.sha256(f"{stat.st_size} {stat.st_mtime_ns}".encode())
    with path.open("rb") as file:
        digest.update(file.read(_SAMPLE))
        file.seek(max(0, stat.st_size - _SAMPLE))
        digest.update(file.read(_SAMPLE))
    return digest.hexdigest()


def fingerprint_of(params: LoadParams) -> str:
    """A digest of everything that a KV state depends on: model, adapters, cache types, RoPE, library."""
    parts = {
        "model": file_fingerprint(Path(params.path)),
        "lora": [(file_fingerprint(Path(path)), scale) for path, scale in params.lora],
        # The number of streams is written into a state, and a context with another number refuses it.
        "max_parallel": params.max_parallel,
        "type_k": params.type_k,
        "type_v": params.type_v,
        # With flash attention the V cache is laid out differently.
        "flash_attn": params.flash_attn,
        "rope": params.rope,
        "library": version("llama-cpp-python"),
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
