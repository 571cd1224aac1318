"""Reads files that people send, without holding up anybody else."""

import asyncio
import json
import logging
import math
import sys
from typing import Any

from bot.documents.document import Document
from bot.documents.document_kind import DocumentKind, kind_of
from bot.documents.plain_text import decode_quickly
from bot.errors import DocumentError
from bot.settings.documents import DocumentSettings

_LOGGER = logging.getLogger(__name__)
_UNSEEN: dict[DocumentKind, str] = {
    "image": "I cannot see pictures yet. Please tell me in words what is in it.",
    "audio": "I cannot hear voice messages and sounds yet. Please write it to me.",
    "video": "I cannot watch videos yet. Please tell me in words what is in it.",
    "binary": "it is no text and no PDF. Please send it as a PDF or as plain text.",
}
_MB = 1_000_000


class DocumentReader:
    """Text, code, data, web pages, e-mail and PDF. What needs a parser is read in a child process, one at a time."""

    def __init__(self, settings: DocumentSettings) -> None:
        self._settings = settings
        self._child = asyncio.Semaphore(1)

    def check(self, name: str, media_type: str, size: int) -> None:
        """Refuse what cannot be read before it is downloaded. Raises `DocumentError`."""
        unseen = _UNSEEN.get(kind_of(name, media_type))
        if unseen is not None:
            raise DocumentError(f"{_named(name)}: {unseen}")
        self._check_size(name, size)

    async def read(self, name: str, media_type: str, data: bytes) -> Document:
        """The text of a file. Raises `DocumentError`, which names the file, and the limit where there is one."""
        self.check(name, media_type, len(data))
        kind = kind_of(name, media_type)
        pages: int | None = None
        text = decode_quickly(data) if kind == "text" else None
        if text is None:
            text, pages = await self._in_child(name, kind, data)
        text = text.encode("utf-8", "replace").decode().replace("\0", "").strip()
        if not text:
            raise DocumentError(f"{_named(name)} is empty.")
        if len(text) > self._settings.max_characters:
            raise DocumentError(
                f"I cannot read {_named(name)}: it has more text than I read at once, which is "
                f"{self._settings.max_characters:,} characters. Please send a part of it."
            )
        return Document(name=name, text=text, pages=pages)

    def _check_size(self, name: str, size: int) -> None:
        if size > self._settings.max_file_mb * _MB:
            raise DocumentError(
                f"I cannot read {_named(name)}: it has {size / _MB:.1f} MB, and I read at most "
                f"{self._settings.max_file_mb:g} MB. Please send a part of it."
            )

    async def _in_child(self, name: str, kind: DocumentKind, data: bytes) -> tuple[str, int | None]:
        async with self._child:
            answer = await self._ask_child(name, kind, data)
        if "refusal" in answer:
            raise DocumentError(f"I cannot read {_named(name)}: {answer['refusal']}.")
        return answer["text"], answer["pages"]

    async def _ask_child(self, name: str, kind: DocumentKind, data: bytes) -> dict[str, Any]:
        settings = self._settings
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "bot.documents.document_child",
            kind,
            f"--max-pages={settings.max_pages}",
            f"--max-characters={settings.max_characters}",
            f"--memory-mb={settings.memory_mb}",
            f"--cpu-s={math.ceil(settings.timeout_s)}",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(settings.timeout_s):
                output, errors = await process.communicate(data)
        except TimeoutError:
            raise DocumentError(
                f"I cannot read {_named(name)}: it takes longer than {settings.timeout_s:g} seconds. "
                "Please send a part of it."
            ) from None
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if errors:
            _LOGGER.info("reading a file of kind %s: %s", kind, errors.decode(errors="replace").strip()[-500:])
        if process.returncode != 0:
            return {"refusal": "it takes too much time or memory"}
        answer: dict[str, Any] = json.loads(output)
        return answer


def _named(name: str) -> str:
    short = " ".join(name.split())
    return f"“{short if len(short) <= 60 else f'{short[:40]}…{short[-16:]}'}”"  # noqa: PLR2004 - what fits a line
