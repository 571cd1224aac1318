"""What admins did, for good."""

from bot.storage.access_records import AuditEntry
from bot.storage.database import Database
from bot.storage.timestamp import from_ms
from bot.storage.transaction import Transaction


class AuditRepository:
    """The table `audit`. Every method raises `StorageError`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def note(self, *, actor: str, act: str, subject: str = "", detail: str = "", now_ms: int) -> None:
        """Add what was done apart from a change of the database."""
        async with self._database.transaction() as transaction:
            await note(transaction, actor=actor, act=act, subject=subject, detail=detail, now_ms=now_ms)

    async def latest(self, count: int) -> list[AuditEntry]:
        """The latest entries, the newest last."""
        rows = await self._database.fetch("SELECT * FROM audit ORDER BY id DESC LIMIT :count", count=count)
        return [
            AuditEntry(
                at=from_ms(row["at_ms"]),
                actor=row["actor"],
                act=row["act"],
                subject=row["subject"],
                detail=row["detail"],
            )
            for row in reversed(rows)
        ]


async def note(
    transaction: Transaction, *, actor: str, act: str, subject: str = "", detail: str = "", now_ms: int
) -> None:
    """Add an entry together with the change that it is about."""
    await transaction.run(
        "INSERT INTO audit (at_ms, actor, act, subject, detail) VALUES (:now, :actor, :act, :subject, :detail)",
        now=now_ms,
        actor=actor,
        act=act,
        subject=subject,
        detail=detail,
    )
