"""`hearthbot records`: what was read out of texts, for other programs."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.options import ConfigOption, load_configuration
from bot.paths import Paths

if TYPE_CHECKING:
    from bot.storage.records import Record

app = typer.Typer(no_args_is_help=True, help="Export what /extract and `hearthbot extract` have read.")


@app.callback()
def _group() -> None:
    """Export what /extract and `hearthbot extract` have read."""


@app.command()
def export(
    schema: Annotated[str | None, typer.Argument(metavar="[SCHEMA]", help="Only records of this schema.")] = None,
    *,
    config: ConfigOption = None,
    user: Annotated[
        str | None, typer.Option(metavar="ID", help="Only one person's, such as telegram:123456789.")
    ] = None,
    as_table: Annotated[bool, typer.Option("--csv", help="A table, in place of one JSON object a line.")] = False,
) -> None:
    """Print the records that are kept, oldest first."""
    from bot.chat.commands.records import object_of, rows_of  # noqa: PLC0415 - `hearthbot --help` need not wait for it
    from bot.extraction.export import as_csv, as_jsonl  # noqa: PLC0415

    found = asyncio.run(_read(config, schema, user))
    if not found:
        typer.echo("no record fits", err=True)
    elif as_table:
        rows = [{"user": f"{each.adapter}:{each.user}", **row} for each in found for row in rows_of([each])]
        typer.echo(as_csv(rows), nl=False)
    else:
        typer.echo(as_jsonl(map(object_of, found)), nl=False)


async def _read(config: Path | None, schema: str | None, user: str | None) -> "Sequence[Record]":
    from bot.storage.database import Database  # noqa: PLC0415
    from bot.storage.record_repository import RecordRepository  # noqa: PLC0415

    settings = load_configuration(config).settings.storage
    path = Paths.of_user().database_at(settings.path)
    if not path.exists():
        return []
    adapter, _, name = user.partition(":") if user else ("", "", "")
    database = await Database.open(path, busy_timeout_s=settings.busy_timeout_s)
    try:
        return await RecordRepository(database).of(adapter=adapter or None, user=name or None, schema=schema)
    finally:
        await database.aclose()
