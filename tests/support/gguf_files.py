"""Small GGUF files, made by hand."""

import struct


def text(value: str) -> bytes:
    """A GGUF string."""
    data = value.encode()
    return struct.pack("<Q", len(data)) + data


def gguf(*, name: str = "tiny", version: int = 3, tensors: int = 1, cut: int = 0, extra: bytes = b"") -> bytes:
    """A file with some metadata of every kind and `tensors` of 64 f16 numbers; `cut` bytes missing at the end."""
    pairs = [
        text("general.name") + struct.pack("<I", 8) + text(name),
        text("llama.block_count") + struct.pack("<II", 4, 3),
        text("llama.eps") + struct.pack("<If", 6, 0.5),
        text("add_bos") + struct.pack("<I?", 7, True),
        text("tokens") + struct.pack("<IIQ", 9, 8, 2) + text("a") + text("b"),
        text("scores") + struct.pack("<IIQ2f", 9, 6, 2, 0.0, 1.0),
    ]
    infos = [text(f"t{n}") + struct.pack("<IQIQ", 1, 64, 1, n * 128) for n in range(tensors)]
    head = b"GGUF" + struct.pack("<IQQ", version, tensors, len(pairs)) + b"".join(pairs) + b"".join(infos)
    body = head + bytes(-len(head) % 32) + bytes(range(128)) * tensors + extra
    return body[: len(body) - cut]
