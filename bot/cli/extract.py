"""`hearthbot extract`: JSON out of texts, for people and for scripts."""

import asyncio
import hashlib
import json
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from bot.backend import start_engine
from bot.chat.schema_book import SchemaBook
from bot.cli.options import load_configuration
from bot.closing import close
from bot.config import LoadedConfig
from bot.documents.document_reader import DocumentReader
from bot.errors import ConfigError, SchemaError
from bot.extraction.batch import Outcome, run_batch
from bot.extraction.export import as_csv
from bot.extraction.extraction import Extraction
from bot.extraction.extractor import Extractor, clean
from bot.extraction.presentation import MARK, plain, table
from bot.local_user import local_user
from bot.paths import Paths
from bot.schemas.schema import Schema
from bot.schemas.support import check_support
from bot.settings import Configuration
from bot.storage.database import Database
from bot.storage.record_repository import RecordRepository
from bot.storage.schema_repository import SchemaRepository
from bot.terminal_log import log_beside_terminal

Form = Literal["jsonl", "csv", "table"]
STDIN = "-"
_ADAPTER = "console"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What was asked for on the command line."""

    schema: str
    files: Sequence[str]
    form: Form
    grounding: bool
    with_source: bool
    many: bool
    again: bool
    """Read also what was read before."""


def extract(config: Path | None, wanted: Wanted) -> int:
    """Print what was read and list what failed; returns the exit code."""
    loaded = load_configuration(config)
    paths = Paths.of_user()
    paths.create()
    log_beside_terminal(loaded.settings.logging, secrets=loaded.secrets(), file=paths.log_file)
    return asyncio.run(_extract(loaded, paths, wanted))


async def _extract(loaded: LoadedConfig, paths: Paths, wanted: Wanted) -> int:
    settings = loaded.settings
    async with AsyncExitStack() as stack:
        database = await Database.open(
            paths.database_at(settings.storage.path), busy_timeout_s=settings.storage.busy_timeout_s
        )
        stack.push_async_callback(close, "the database", database.aclose)
        schema = await _schema(wanted, settings, database)
        engine = await start_engine(settings, paths=paths, notify=lambda text: typer.echo(text, err=True))
        stack.push_async_callback(close, "the engine", engine.aclose)
        reader = _Reader(
            schema=schema,
            extractor=Extractor(engine, settings.extraction),
            documents=DocumentReader(settings.documents),
            records=RecordRepository(database) if settings.extraction.keep else None,
            model=engine.status().model,
            again=wanted.again,
        )
        with _progress(wanted.files) as step:
            reader.progress = step.parts
            outcomes = _shown(run_batch(wanted.files, reader.read, parallel=settings.engine.max_parallel), step)
            return await _print(outcomes, wanted)


async def _schema(wanted: Wanted, settings: Configuration, database: Database) -> Schema:
    """By its name, out of a file, or in the short language. Raises `ConfigError`."""
    book = SchemaBook(configured=settings.extraction.named(), saved=SchemaRepository(database))
    known = await book.of(_ADAPTER, local_user())
    try:
        schema = known.get(wanted.schema.lower()) or _written(wanted.schema)
    except SchemaError as error:
        names = ", ".join(each.name for each in known.values())
        raise ConfigError(f"the schema: {error.user_text.replace('```', '').strip()}\nknown by name: {names}") from None
    return replace(schema, many=schema.many or wanted.many)


def _written(text: str) -> Schema:
    """Raises `ConfigError` and `SchemaError`."""
    if not text.lower().endswith(".json"):
        return Schema.of_short(text)
    try:
        record = json.loads(Path(text).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"the schema {text} cannot be read: {error}") from None
    check_support(record)
    return Schema(name=Path(text).stem, record=record)


@dataclass(slots=True, kw_only=True)
class _Reader:
    """Reads one source after another."""

    schema: Schema
    extractor: Extractor
    documents: DocumentReader
    records: RecordRepository | None
    model: str
    again: bool
    progress: Callable[[int, int], None] = lambda _done, _parts: None

    async def read(self, source: str) -> Outcome:
        """A source's value: what is kept of the very same text, or a new one, which then is kept."""
        data = await asyncio.to_thread(_bytes, source)
        name = "standard input" if source == STDIN else Path(source).name
        text = clean((await self.documents.read(name, "", data)).text)
        mark = hashlib.sha256(text.encode()).hexdigest()
        if self.records is not None and not self.again:
            kept = await self.records.same(
                adapter=_ADAPTER,
                user=local_user(),
                version=self.schema.version,
                source_hash=mark,
                model=self.model,
            )
            if kept is not None:
                return Outcome(source=source, value=kept.value, grounding=kept.grounding)
        found = await self.extractor.extract(self.schema, text, user=f"{_ADAPTER}:extract", progress=self.progress)
        await self._keep(source, mark, found)
        return Outcome.of(source, found)

    async def _keep(self, source: str, mark: str, found: Extraction) -> None:
        if self.records is None:
            return
        await self.records.add(
            adapter=_ADAPTER,
            user=local_user(),
            schema=found.schema.name,
            version=found.schema.version,
            source=source,
            source_hash=mark,
            text=found.text,
            value=found.value,
            grounding=found.grounding_objects(),
            model=found.model,
        )


def _bytes(source: str) -> bytes:
    return sys.stdin.buffer.read() if source == STDIN else Path(source).read_bytes()


async def _print(outcomes: AsyncIterator[Outcome], wanted: Wanted) -> int:
    read: list[Outcome] = []
    failed: list[Outcome] = []
    async for outcome in outcomes:
        (failed if outcome.failure is not None else read).append(outcome)
        if outcome.failure is None and wanted.form == "jsonl":
            typer.echo(json.dumps(_object(outcome, wanted), ensure_ascii=False))
    rows = [row for outcome in read for row in _rows(outcome, wanted)]
    if wanted.form == "csv" and rows:
        typer.echo(as_csv(rows), nl=False)
    elif wanted.form == "table" and rows:
        columns = list(dict.fromkeys(key for row in rows for key in row))
        typer.echo(table(columns, [[plain(row.get(key)) for key in columns] for row in rows]))
    if failed:
        typer.echo(f"{len(failed)} of {len(failed) + len(read)} failed:", err=True)
        for outcome in failed:
            typer.echo(f"  {outcome.source}: {' '.join((outcome.failure or '').split())}", err=True)
    return 1 if failed else 0


def _object(outcome: Outcome, wanted: Wanted) -> Any:
    if not (wanted.grounding or wanted.with_source):
        return outcome.value
    found: dict[str, Any] = {"source": outcome.source, "value": outcome.value}
    return {**found, "grounding": outcome.grounding} if wanted.grounding else found


def _rows(outcome: Outcome, wanted: Wanted) -> Iterator[Mapping[str, Any]]:
    """A row for each record; with the groundings, those that are not in the text in a column of their own."""
    records = outcome.value if isinstance(outcome.value, list) else [outcome.value]
    source = {"source": outcome.source} if wanted.with_source or len(wanted.files) > 1 else {}
    for index, record in enumerate(records):
        row = {**source, **record}
        if wanted.grounding:
            begin = f"[{index}]." if isinstance(outcome.value, list) else ""
            missing = [
                each["path"].removeprefix(begin)
                for each in outcome.grounding
                if each["status"] == "missing" and each["path"].startswith(begin)
            ]
            row[MARK] = missing
        yield row


class _Step:
    """How far it is, on standard error: a bar on a terminal, else lines."""

    def __init__(self, total: int, progress: Progress | None) -> None:
        self._total = total
        self._done = 0
        self._progress = progress
        self._task = progress.add_task("reading", total=total) if progress else None
        self._parts = progress.add_task("parts", total=None, visible=False) if progress else None

    def source(self, outcome: Outcome) -> None:
        """One more is done."""
        self._done += 1
        if self._progress is not None and self._task is not None:
            self._progress.update(self._task, completed=self._done, description=outcome.source)
        elif self._total > 1:
            how = "failed" if outcome.failure else "done"
            typer.echo(f"{self._done} of {self._total}: {outcome.source}: {how}", err=True)

    def parts(self, done: int, total: int) -> None:
        """How far a long one is."""
        if self._progress is not None and self._parts is not None:
            self._progress.update(self._parts, completed=done, total=total, visible=0 < done < total)
        elif total > 1 and self._total == 1:
            typer.echo(f"{done} of {total} parts are read", err=True)


@contextmanager
def _progress(files: Sequence[str]) -> Iterator[_Step]:
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _Step(len(files), None)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        yield _Step(len(files), progress)


async def _shown(outcomes: AsyncIterator[Outcome], step: _Step) -> AsyncIterator[Outcome]:
    async for outcome in outcomes:
        step.source(outcome)
        yield outcome
