"""People by their role, as far as the configuration does not say it."""

import sqlite3

from bot.storage.access_records import Identity, Person, Role
from bot.storage.audit_repository import note
from bot.storage.database import Database
from bot.storage.timestamp import from_ms
from bot.storage.transaction import Transaction

_PUT = """
    INSERT INTO people (adapter, user, name, role, changed_ms) VALUES (:adapter, :user, :name, :role, :now)
    ON CONFLICT (adapter, user) DO UPDATE SET
        role = :role, name = CASE WHEN :name = '' THEN name ELSE :name END, changed_ms = :now
"""
_REMEMBER_CHAT = """
    INSERT INTO private_chats (adapter, user, chat) VALUES (:adapter, :user, :chat)
    ON CONFLICT (adapter, user) DO UPDATE SET chat = :chat
"""


class PeopleRepository:
    """The tables `people` and `private_chats`. Every method raises `StorageError`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def role(self, identity: Identity) -> Role | None:
        """What the person is; None for somebody unknown."""
        rows = await self._database.fetch(
            "SELECT role FROM people WHERE adapter = :adapter AND user = :user",
            adapter=identity.adapter,
            user=identity.user,
        )
        return rows[0]["role"] if rows else None

    async def all(self) -> list[Person]:
        """Everybody, admins first, those shut out last."""
        rows = await self._database.fetch(
            "SELECT * FROM people "
            "ORDER BY CASE role WHEN 'admin' THEN 0 WHEN 'user' THEN 1 ELSE 2 END, adapter, changed_ms"
        )
        return [_person(row) for row in rows]

    async def has_admin(self) -> bool:
        """Whether anybody is an admin."""
        return bool(await self._database.fetch("SELECT 1 FROM people WHERE role = 'admin' LIMIT 1"))

    async def claim(self, identity: Identity, *, name: str, now_ms: int) -> bool:
        """Make the person the admin; False where there is one already, or the person was shut out."""
        async with self._database.transaction() as transaction:
            if await transaction.run(
                "SELECT 1 FROM people "
                "WHERE role = 'admin' OR (adapter = :adapter AND user = :user AND role = 'blocked')",
                adapter=identity.adapter,
                user=identity.user,
            ):
                return False
            await put_role(transaction, identity, "admin", name=name, now_ms=now_ms)
            await transaction.run(
                "DELETE FROM pairings WHERE adapter = :adapter AND user = :user",
                adapter=identity.adapter,
                user=identity.user,
            )
            await note(transaction, actor=str(identity), act="claim", subject=str(identity), detail=name, now_ms=now_ms)
        return True

    async def set_role(self, identity: Identity, role: Role | None, *, actor: str, now_ms: int) -> None:
        """Give the person a role, or none; a question of theirs to be let in is settled by that."""
        async with self._database.transaction() as transaction:
            rows = await transaction.run(
                "DELETE FROM pairings WHERE adapter = :adapter AND user = :user RETURNING name",
                adapter=identity.adapter,
                user=identity.user,
            )
            if role is None:
                await transaction.run(
                    "DELETE FROM people WHERE adapter = :adapter AND user = :user",
                    adapter=identity.adapter,
                    user=identity.user,
                )
            else:
                name = rows[0]["name"] if rows else ""
                await put_role(transaction, identity, role, name=name, now_ms=now_ms)
            await note(
                transaction, actor=actor, act="role", subject=str(identity), detail=role or "none", now_ms=now_ms
            )

    async def remember_chat(self, identity: Identity, chat: str) -> None:
        """Where the person can be told something unasked."""
        async with self._database.transaction() as transaction:
            await transaction.run(_REMEMBER_CHAT, adapter=identity.adapter, user=identity.user, chat=chat)

    async def chats(self) -> dict[Identity, str]:
        """Private chats, of those whose one was remembered."""
        rows = await self._database.fetch("SELECT * FROM private_chats")
        return {Identity(adapter=row["adapter"], user=row["user"]): row["chat"] for row in rows}


async def put_role(transaction: Transaction, identity: Identity, role: Role, *, name: str, now_ms: int) -> None:
    """Store a role as part of a larger change."""
    await transaction.run(_PUT, adapter=identity.adapter, user=identity.user, name=name, role=role, now=now_ms)


def _person(row: sqlite3.Row) -> Person:
    return Person(
        identity=Identity(adapter=row["adapter"], user=row["user"]),
        name=row["name"],
        role=row["role"],
        changed_at=from_ms(row["changed_ms"]),
    )
