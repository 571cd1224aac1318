"""What a fuzzer throws bytes at: every parser that meets strangers' input. A target raises where there is a bug."""

import asyncio
import socket
import struct
import tempfile
import threading
import zlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from bot.chat.commands.parser import parse_command
from bot.chat.splitting.splitter import Splitter
from bot.config import load
from bot.engine.gguf_header import GgufHeader
from bot.engine.model_shape import ModelShape
from bot.engine.stored_state import DamagedStateError, ForeignStateError, read_state
from bot.errors import ConfigError, ModelLoadError, SchemaError
from bot.schemas.short_language import parse_short
from bot.schemas.support import check_support
from tests.support.config_files import adapter_settings
from tests.support.scripted_engine import ScriptedEngine
from tests.support.web_client import web

_PATHS = ("/v1/chat/completions", "/v1/completions", "/v1/responses", "/v1/embeddings")
_PATIENCE_S = 20


def commands(data: bytes) -> None:
    """Any text is a command or a message."""
    found = parse_command(_text(data))
    assert found is None or (found.name and found.name[0] not in "/ ")


def schema_language(data: bytes) -> None:
    """A schema that can be held to, or an error that says where it is none."""
    try:
        record, _ = parse_short(_text(data))
        check_support(record)
    except SchemaError:
        return


def splitter(data: bytes) -> None:
    """Parts of a text, each within any limit, whose slices are all of it."""
    if not data:
        return
    limit = 40 + data[0]
    text = _text(data[1:])
    parts = Splitter(max_length=limit).split(text)
    assert all(len(part.text) <= limit for part in parts)
    assert "".join(text[part.start : part.end] for part in parts) == text


def yaml(data: bytes) -> None:
    """A configuration, or errors with their places."""
    path = _file(data, "config.yaml")
    try:
        load(path, adapter_settings=adapter_settings, environ={})
    except ConfigError:
        return


def gguf(data: bytes) -> None:
    """A header, and what a model like that needs; or an error."""
    path = _file(data, "m.gguf")
    try:
        ModelShape.of([GgufHeader.peek(path)])
        GgufHeader.read(path)
    except ModelLoadError:
        return


def kv_file(data: bytes) -> None:
    """Bytes as they are, and as the description of a file whose checksums are right."""
    for content in (data, _sealed(data)):
        try:
            read_state(_file(content, "state.kv"), "model")
        except (DamagedStateError, ForeignStateError):
            continue


def http(data: bytes) -> None:
    """Bytes as a request, or as the body of one: the server answers, never with an error of its own."""
    if not data:
        return
    choice, body = data[0] % (len(_PATHS) + 1), data[1:]
    if choice < len(_PATHS):
        head = f"POST {_PATHS[choice]} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n"
        body = f"{head}content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body
    with socket.create_connection(_server(), timeout=_PATIENCE_S) as connection:
        connection.sendall(body)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        try:
            while piece := connection.recv(65536):
                answer += piece
        except ConnectionResetError:
            return
    assert not answer.startswith(b"HTTP/1.1 5"), answer


TARGETS: dict[str, Callable[[bytes], None]] = {
    "commands": commands,
    "schemas": schema_language,
    "splitter": splitter,
    "yaml": yaml,
    "gguf": gguf,
    "kv": kv_file,
    "http": http,
}


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape" if data[:1] == b"\xff" else "replace")


@cache
def _folder() -> Path:
    return Path(tempfile.mkdtemp(prefix="hearthbot-fuzz-"))


def _sealed(description: bytes) -> bytes:
    """A file of the store's layout, with an empty blob and right checksums."""
    head = b"hearthbot-kv-2\n" + struct.pack("<QQ", len(description), 0) + description
    checksum = struct.pack("<I", zlib.crc32(head))
    return head + checksum + checksum


def _file(data: bytes, name: str) -> Path:
    path = _folder() / name
    path.write_bytes(data)
    return path


@cache
def _server() -> tuple[str, int]:
    """The real server with a scripted model, in a thread of its own."""
    found: list[str] = []
    ready = threading.Event()

    async def serve() -> None:
        async with web(ScriptedEngine(n_ctx=100_000)) as adapter:
            found.append(adapter.url)
            ready.set()
            await asyncio.Event().wait()

    threading.Thread(target=lambda: asyncio.run(serve()), daemon=True).start()
    ready.wait()
    address = urlsplit(found[0])
    return address.hostname or "", address.port or 0
