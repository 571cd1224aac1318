"""The files that come with a message, as part of its text."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from bot.documents.document_reader import DocumentReader
from bot.errors import DocumentError
from bot.messages import Attachment

_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadAttachments:
    """What there is to read, and what the person has to be told of the rest."""

    text: str
    refusals: tuple[str, ...]


class Attachments:
    """Reads them for the model."""

    def __init__(self, reader: DocumentReader, *, max_files: int) -> None:
        self._reader = reader
        self._max_files = max_files

    async def read(self, attachments: Sequence[Attachment]) -> ReadAttachments:
        """Download and read them, one after the other. Never raises for a file: what is not read is said."""
        texts: list[str] = []
        refusals: list[str] = []
        for attachment in attachments[: self._max_files]:
            try:
                texts.append(await self._read(attachment))
            except DocumentError as error:
                refusals.append(error.user_text)
        if len(attachments) > self._max_files:
            refusals.append(
                f"I read at most {self._max_files} files of one message, and have left out the others. "
                "Please send them by themselves."
            )
        return ReadAttachments(text="\n\n".join(texts), refusals=tuple(refusals))

    async def _read(self, attachment: Attachment) -> str:
        self._reader.check(attachment.name, attachment.media_type, attachment.size)
        try:
            data = await attachment.read()
        except Exception as error:
            _LOGGER.warning("a file could not be downloaded", exc_info=error)
            raise DocumentError(
                f"I could not download “{attachment.name}”. Please send it again in a minute."
            ) from error
        document = await self._reader.read(attachment.name, attachment.media_type, data)
        return f"[File {document.name}]\n{document.text}\n[End of {document.name}]"
