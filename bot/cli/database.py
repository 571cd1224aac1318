"""`hearthbot backup`, `restore` and `db`: care for what must not be lost."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from bot.cli.options import ConfigOption, load_configuration
from bot.paths import Paths

if TYPE_CHECKING:
    from bot.storage.backup import Progress

app = typer.Typer(no_args_is_help=True, help="Check the database, or make its file smaller.")


def back_up(config: Path | None, target: Path) -> None:
    """Write a backup. Raises `StorageError`."""
    from bot.storage import backup  # noqa: PLC0415 - heavy, and `hearthbot --help` need not wait for it

    database, _ = _place(config)
    with _progress("backup") as progress:
        asyncio.run(backup.back_up(database, target, progress=progress))
    typer.echo(f"wrote {target}, {target.stat().st_size / 2**20:.1f} MiB")


def restore(config: Path | None, source: Path) -> None:
    """Put a backup back. Raises `StorageError`."""
    from bot.storage import backup  # noqa: PLC0415

    database, _ = _place(config)
    with _progress("restore") as progress:
        kept = asyncio.run(backup.restore(source, database, progress=progress))
    typer.echo(f"restored {database} from {source}")
    if kept is not None:
        typer.echo(f"what was there before is kept in {kept}")
    typer.echo("A daemon that is running now has to be started again.")


@app.command()
def check(config: ConfigOption = None) -> None:
    """Read the whole file and say what is wrong with it; the exit code is 4 when something is."""
    path, timeout_s = _place(config)
    damage = asyncio.run(_check(path, timeout_s))
    for line in damage:
        typer.echo(line)
    if damage:
        typer.echo(f"{path} is damaged; put a backup back with: hearthbot restore FILE", err=True)
        raise typer.Exit(4)
    typer.echo(f"{path}: sound")


@app.command()
def vacuum(config: ConfigOption = None) -> None:
    """Write the file anew without the room that deleted conversations have left."""
    path, timeout_s = _place(config)
    before = path.stat().st_size if path.exists() else 0
    asyncio.run(_vacuum(path, timeout_s))
    typer.echo(f"{path}: {before / 2**20:.1f} MiB before, {path.stat().st_size / 2**20:.1f} MiB now")


def _place(config: Path | None) -> tuple[Path, float]:
    settings = load_configuration(config).settings.storage
    return Paths.of_user().database_at(settings.path), settings.busy_timeout_s


async def _check(path: Path, timeout_s: float) -> tuple[str, ...]:
    from bot.storage.database import Database  # noqa: PLC0415

    database = await Database.open(path, busy_timeout_s=timeout_s)
    try:
        return await database.integrity()
    finally:
        await database.aclose()


async def _vacuum(path: Path, timeout_s: float) -> None:
    from bot.storage.database import Database  # noqa: PLC0415

    database = await Database.open(path, busy_timeout_s=timeout_s)
    try:
        await database.erase_deleted()
    finally:
        await database.aclose()


@contextmanager
def _progress(what: str) -> "Iterator[Progress]":
    """A bar on a terminal; nothing elsewhere, where the last line says all."""
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import Progress as Bar  # noqa: PLC0415

    with Bar(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what)
        yield lambda done, total: bar.update(task, completed=done, total=total)
