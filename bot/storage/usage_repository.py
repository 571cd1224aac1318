"""How much of the model each person used within the last day."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bot.storage.access_records import Identity
from bot.storage.database import Database

DAY_MS = 24 * 3_600_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """One reply that was asked for."""

    at_ms: int
    tokens: int
    """Newly read and written; 0 until the reply is there."""


class UsageRepository:
    """The table `usage`. Every method raises `StorageError`.

    Apart from the turns, so that neither `/undo` nor `/forget` gives anything back. It has no word of what was said.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin(self, identity: Identity, *, now_ms: int, check: Callable[[Sequence[Use]], None]) -> int:
        """Note that a reply is asked for, unless `check` raises at what the day has seen, oldest first.

        Both happen in one transaction, so two messages at the same moment do not pass where there is room for one.
        """
        async with self._database.transaction() as transaction:
            # What lies in the future was noted while the machine's clock was wrong.
            await transaction.run(
                "DELETE FROM usage WHERE at_ms <= :before OR at_ms > :now", before=now_ms - DAY_MS, now=now_ms
            )
            rows = await transaction.run(
                "SELECT at_ms, tokens FROM usage WHERE adapter = :adapter AND user = :user ORDER BY at_ms, id",
                adapter=identity.adapter,
                user=identity.user,
            )
            check([Use(at_ms=row["at_ms"], tokens=row["tokens"]) for row in rows])
            rows = await transaction.run(
                "INSERT INTO usage (adapter, user, at_ms, tokens) VALUES (:adapter, :user, :now, 0) RETURNING id",
                adapter=identity.adapter,
                user=identity.user,
                now=now_ms,
            )
        return int(rows[0]["id"])

    async def end(self, use_id: int, *, tokens: int | None) -> None:
        """Note what the reply cost; with None nothing came of it, and it does not count."""
        async with self._database.transaction() as transaction:
            if tokens is None:
                await transaction.run("DELETE FROM usage WHERE id = :id", id=use_id)
            else:
                await transaction.run("UPDATE usage SET tokens = :tokens WHERE id = :id", id=use_id, tokens=tokens)
