"""The command that reads JSON out of a text."""

import asyncio
import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace

from bot.chat.access import identity_of
from bot.chat.commands.command import Command, CommandCall, LineCommand
from bot.chat.extract_argument import parse_argument
from bot.chat.generator import engine_user
from bot.chat.quotas import Quotas
from bot.chat.schema_book import SchemaBook
from bot.chat.ticket import Ticket
from bot.documents.document_reader import DocumentReader
from bot.errors import InvalidRequestError
from bot.extraction.extraction import Extraction
from bot.extraction.extractor import Extractor
from bot.extraction.presentation import as_markdown, is_long
from bot.messages import Attachment, CommandSpec, IncomingMessage
from bot.schemas.schema import Schema
from bot.storage.record_repository import RecordRepository

_HOW = (
    "Send /extract and a text, answer a message with /extract, or send a file with it. What to look for is the "
    "schema {default}; name another (/schemas shows them), or write the fields and a semicolon before the text: "
    "/extract name, age int, city? ; Ann is 30"
)
_SEVERAL = 3
"""Parts from which on the person is told how far it is."""


class ExtractCommands:
    """`/extract`."""

    def __init__(
        self,
        *,
        extractor: Extractor,
        schemas: SchemaBook,
        records: RecordRepository | None,
        documents: DocumentReader,
        max_files: int,
        quotas: Quotas,
    ) -> None:
        """`records` keeps what was read; None where nothing is to be kept."""
        self._extractor = extractor
        self._schemas = schemas
        self._records = records
        self._documents = documents
        self._max_files = max_files
        self._quotas = quotas

    def commands(self) -> Sequence[Command]:
        """In the order of a menu."""
        return (
            LineCommand(
                spec=CommandSpec(
                    name="extract",
                    summary="Read JSON out of a text, a file, or the message you answer",
                    argument="[schema] [text]",
                    choices=tuple(schema.name for schema in self._schemas.configured),
                ),
                run=self._extract,
            ),
        )

    async def _extract(self, call: CommandCall, ticket: Ticket) -> None:
        message = call.message
        known = await self._schemas.of(message.adapter, message.user)
        wanted = parse_argument(call.argument, lambda name: known.get(name.lower()))
        schema = replace(
            wanted.schema or self._schemas.default, many=wanted.many or self._default_is_many(wanted.schema)
        )
        texts = await self._texts(message, wanted.text)
        if not texts:
            await call.say(_HOW.format(default=self._schemas.default.name))
            return
        call.delivery.start_typing()
        answers = []
        for source, text in texts:
            async with self._quotas.metered(identity_of(message), admin=call.admin) as meter:
                found = await self._read(call, ticket, schema, text)
                if found is not None:
                    meter.add(found.cost.usage)
            if found is None:
                await call.say("Stopped.")
                return
            await self._keep(message, source, found)
            if is_long(found):
                document = json.dumps(found.value, ensure_ascii=False, indent=2)
                await call.delivery.send_file(f"{schema.name}.json", document.encode(), "All of it as JSON")
            title = f"**{source}**\n\n" if len(texts) > 1 else ""
            answers.append(f"{title}{as_markdown(found)}")
        await call.say("\n\n".join(answers))

    def _default_is_many(self, given: Schema | None) -> bool:
        return given is None and self._schemas.default.many

    async def _texts(self, message: IncomingMessage, text: str) -> list[tuple[str, str]]:
        """What to read, and where it comes from: what is written here, else files, else the message that is answered.

        Raises `DocumentError`.
        """
        if text:
            return [("message", text)]
        attachments = message.attachments or message.reply_attachments
        if attachments:
            if len(attachments) > self._max_files:
                raise InvalidRequestError(f"Please send at most {self._max_files} files with a message.")
            return [(each.name, await self._file(each)) for each in attachments]
        return [("message", message.reply_text)] if message.reply_text.strip() else []

    async def _file(self, attachment: Attachment) -> str:
        self._documents.check(attachment.name, attachment.media_type, attachment.size)
        data = await attachment.read()
        return (await self._documents.read(attachment.name, attachment.media_type, data)).text

    async def _read(self, call: CommandCall, ticket: Ticket, schema: Schema, text: str) -> Extraction | None:
        """What was read; None where the person has stopped it."""
        told: asyncio.Queue[tuple[int, int]] = asyncio.Queue()
        user = engine_user(call.message.adapter, call.message.user)
        work = self._extractor.extract(
            schema, text, user=user, progress=lambda done, parts: told.put_nowait((done, parts))
        )
        task = asyncio.create_task(work, name="extraction")
        telling = asyncio.create_task(self._tell(call, told), name="extraction progress")
        try:
            with ticket.writing(task):
                await asyncio.wait({task})
        finally:
            telling.cancel()
            await asyncio.wait({telling, task})
        return None if task.cancelled() else task.result()

    @staticmethod
    async def _tell(call: CommandCall, told: "asyncio.Queue[tuple[int, int]]") -> None:
        """Say at the beginning and half way how far it is, where that takes long."""
        half_said = False
        while True:
            done, parts = await told.get()
            if parts < _SEVERAL:
                continue
            if done == 0:
                await call.delivery.note(f"(This is long: I read it in {parts} parts. /stop ends it.)")
            elif not half_said and parts > 2 * _SEVERAL and done * 2 >= parts:
                half_said = True
                await call.delivery.note(f"({done} of {parts} parts are read.)")

    async def _keep(self, message: IncomingMessage, source: str, found: Extraction) -> None:
        if self._records is None:
            return
        await self._records.add(
            adapter=message.adapter,
            user=message.user,
            schema=found.schema.name,
            version=found.schema.version,
            source=source,
            source_hash=hashlib.sha256(found.text.encode()).hexdigest(),
            text=found.text,
            value=found.value,
            grounding=found.grounding_objects(),
            model=found.model,
        )
