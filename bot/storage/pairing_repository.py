"""People who ask to be let in."""

import sqlite3
from typing import Literal

from bot.storage.access_records import Identity, Pairing, Role
from bot.storage.audit_repository import note
from bot.storage.database import Database
from bot.storage.people_repository import put_role
from bot.storage.timestamp import from_ms

Decision = Literal["approve", "deny", "block"]

VALID_MS = 3_600_000
"""A code is good for an hour; whoever writes after that is given another."""
DENIED_MS = 7 * 24 * 3_600_000
"""Who was denied is not answered, and no admin asked again, for a week."""
MOST_PENDING = 20
"""Open questions; a crowd of strangers must not flood the admins."""

_ASK = """
    INSERT INTO pairings (adapter, user, name, chat, code, status, created_ms, silent_until_ms)
    VALUES (:adapter, :user, :name, :chat, :code, 'pending', :now, :until)
    ON CONFLICT (adapter, user) DO UPDATE SET
        name = :name, chat = :chat, code = :code, status = 'pending', created_ms = :now, silent_until_ms = :until
    RETURNING *
"""
# What lies further ahead than it can was noted while the machine's clock was wrong, and has no say.
_SILENT = f"""
    SELECT 1 FROM pairings
    WHERE adapter = :adapter AND user = :user AND silent_until_ms > :now AND silent_until_ms <= :now + {DENIED_MS}
"""  # noqa: S608 - a number
_OPEN = f"status = 'pending' AND silent_until_ms > :now AND silent_until_ms <= :now + {VALID_MS}"


class PairingRepository:
    """The tables `pairings` and `code_attempts`. Every method raises `StorageError`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def ask(self, identity: Identity, *, name: str, chat: str, code: str, now_ms: int) -> Pairing | None:
        """Note that the person asks; None where they did so within the hour, were denied, or too many others ask."""
        if await self._database.fetch(_SILENT, adapter=identity.adapter, user=identity.user, now=now_ms):
            return None  # without a transaction: a stranger's flood costs a look and no write
        async with self._database.transaction() as transaction:
            if await transaction.run(_SILENT, adapter=identity.adapter, user=identity.user, now=now_ms):
                return None
            await transaction.run(
                "DELETE FROM pairings WHERE status <> 'approved' "  # noqa: S608 - a number
                f"AND (silent_until_ms <= :now OR silent_until_ms > :now + {DENIED_MS})",
                now=now_ms,
            )
            asking = (await transaction.run(f"SELECT count(*) AS asking FROM pairings WHERE {_OPEN}", now=now_ms))[0][0]  # noqa: S608 - a literal above
            if asking >= MOST_PENDING:
                return None
            rows = await transaction.run(
                _ASK,
                adapter=identity.adapter,
                user=identity.user,
                name=name,
                chat=chat,
                code=code,
                now=now_ms,
                until=now_ms + VALID_MS,
            )
        return _pairing(rows[0])

    async def pending(self, now_ms: int) -> list[Pairing]:
        """Who asks and was not decided on, the first first."""
        rows = await self._database.fetch(f"SELECT * FROM pairings WHERE {_OPEN} ORDER BY created_ms", now=now_ms)  # noqa: S608 - a literal above
        return [_pairing(row) for row in rows]

    async def decide(self, pairing: Pairing, decision: Decision, *, actor: str, now_ms: int) -> bool:
        """Settle a question; False where somebody else has done so meanwhile."""
        adapter, user = pairing.identity.adapter, pairing.identity.user
        status, until = ("approved", now_ms) if decision == "approve" else ("denied", now_ms + DENIED_MS)
        async with self._database.transaction() as transaction:
            if not await transaction.run(
                "UPDATE pairings SET status = :status, silent_until_ms = :until "
                "WHERE adapter = :adapter AND user = :user AND status = 'pending' AND code = :code RETURNING user",
                status=status,
                until=until,
                adapter=adapter,
                user=user,
                code=pairing.code,
            ):
                return False
            if decision != "deny":
                role: Role = "user" if decision == "approve" else "blocked"
                await put_role(transaction, pairing.identity, role, name=pairing.name, now_ms=now_ms)
            await note(
                transaction,
                actor=actor,
                act=decision,
                subject=str(pairing.identity),
                detail=pairing.name,
                now_ms=now_ms,
            )
        return True

    async def untold(self) -> list[Pairing]:
        """Who was let in and does not know it yet."""
        rows = await self._database.fetch("SELECT * FROM pairings WHERE status = 'approved' ORDER BY created_ms")
        return [_pairing(row) for row in rows]

    async def told(self, pairing: Pairing) -> None:
        """The person knows."""
        async with self._database.transaction() as transaction:
            await transaction.run(
                "DELETE FROM pairings WHERE adapter = :adapter AND user = :user AND status = 'approved'",
                adapter=pairing.identity.adapter,
                user=pairing.identity.user,
            )

    async def may_try(self, identity: Identity, *, limit: int, now_ms: int) -> bool:
        """Count an attempt to guess a code; False where the person has had `limit` of them within the hour."""
        async with self._database.transaction() as transaction:
            await transaction.run(
                "DELETE FROM code_attempts WHERE at_ms <= :before OR at_ms > :now", before=now_ms - VALID_MS, now=now_ms
            )
            rows = await transaction.run(
                "SELECT count(*) FROM code_attempts WHERE adapter = :adapter AND user = :user",
                adapter=identity.adapter,
                user=identity.user,
            )
            if rows[0][0] >= limit:
                return False
            await transaction.run(
                "INSERT INTO code_attempts (adapter, user, at_ms) VALUES (:adapter, :user, :now)",
                adapter=identity.adapter,
                user=identity.user,
                now=now_ms,
            )
        return True


def _pairing(row: sqlite3.Row) -> Pairing:
    return Pairing(
        identity=Identity(adapter=row["adapter"], user=row["user"]),
        name=row["name"],
        chat=row["chat"],
        code=row["code"],
        status=row["status"],
        created_at=from_ms(row["created_ms"]),
    )
