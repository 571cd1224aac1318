"""Brings a database up to date, step by step."""

from pathlib import Path

from bot.errors import StorageError
from bot.storage.file_version import FileVersion
from bot.storage.migrations import MIGRATIONS
from bot.storage.transaction import Transaction


async def migrate_once(
    transaction: Transaction, *, path: Path, migrations: tuple[tuple[str, ...], ...] = MIGRATIONS
) -> int | None:
    """Take the next step that the database lacks, with its version, and return that; None when there is none left.

    Raises `StorageError` for a database of another program and for one that a newer version has written.
    """
    found = FileVersion(
        application=(await transaction.run("PRAGMA application_id"))[0][0],
        schema=(await transaction.run("PRAGMA user_version"))[0][0],
        newest=len(migrations),
    )
    if not found.is_ours and (found.schema or await transaction.run("SELECT 1 FROM sqlite_schema LIMIT 1")):
        raise StorageError(
            f"{path}: this database belongs to another program; set storage.path to a file of hearthbot's own"
        )
    found.refuse_newer(path)
    if found.schema == found.newest:
        return None
    for statement in migrations[found.schema]:
        await transaction.run(statement)
    await transaction.run(f"PRAGMA user_version = {found.schema + 1}")
    return found.schema + 1
