"""People who are the same on several platforms."""

from dataclasses import dataclass

from bot.storage.access_records import Identity
from bot.storage.database import Database

VALID_MS = 3_600_000
"""A code is good for an hour, and once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """An account whose private chat goes on with the history of another one's."""

    chat: str
    """The private chat of the linked account."""
    home: Identity
    home_chat: str


class LinkRepository:
    """The tables `links` and `link_codes`. Every method raises `StorageError`.

    Every linked account points straight at its home, and a home never points anywhere.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, identity: Identity) -> Link | None:
        """Whose history this account goes on with; None where it has its own."""
        rows = await self._database.fetch(
            "SELECT * FROM links WHERE adapter = :adapter AND user = :user",
            adapter=identity.adapter,
            user=identity.user,
        )
        if not rows:
            return None
        row = rows[0]
        home = Identity(adapter=row["to_adapter"], user=row["to_user"])
        return Link(chat=row["chat"], home=home, home_chat=row["to_chat"])

    async def accounts(self, identity: Identity) -> list[Identity]:
        """All accounts of the person, the one with the history first."""
        link = await self.of(identity)
        first = link.home if link else identity
        rows = await self._database.fetch(
            "SELECT adapter, user FROM links WHERE to_adapter = :adapter AND to_user = :user ORDER BY adapter, user",
            adapter=first.adapter,
            user=first.user,
        )
        return [first, *(Identity(adapter=row["adapter"], user=row["user"]) for row in rows)]

    async def offer(self, identity: Identity, *, chat: str, code_hash: str, now_ms: int) -> None:
        """Let another account be linked to this one with a code, of which only the hash is kept."""
        async with self._database.transaction() as transaction:
            # What lies too far ahead was noted while the machine's clock was wrong.
            await transaction.run(
                "DELETE FROM link_codes WHERE until_ms <= :now OR until_ms > :latest",
                now=now_ms,
                latest=now_ms + VALID_MS,
            )
            await transaction.run(
                "INSERT INTO link_codes (adapter, user, chat, code_hash, until_ms) "
                "VALUES (:adapter, :user, :chat, :hash, :until) ON CONFLICT (adapter, user) DO UPDATE "
                "SET chat = :chat, code_hash = :hash, until_ms = :until",
                adapter=identity.adapter,
                user=identity.user,
                chat=chat,
                hash=code_hash,
                until=now_ms + VALID_MS,
            )

    async def link(self, identity: Identity, *, chat: str, code_hash: str, now_ms: int) -> Identity | None:
        """Link an account, which has no links yet, to the one that was given the code; None for a wrong code."""
        async with self._database.transaction() as transaction:
            rows = await transaction.run(
                "DELETE FROM link_codes WHERE code_hash = :hash AND until_ms > :now AND until_ms <= :latest "
                "AND NOT EXISTS (SELECT 1 FROM links WHERE (links.adapter = :adapter AND links.user = :user) "
                "OR (to_adapter = :adapter AND to_user = :user)) "
                "AND NOT (adapter = :adapter AND user = :user) RETURNING adapter, user, chat",
                hash=code_hash,
                now=now_ms,
                latest=now_ms + VALID_MS,
                adapter=identity.adapter,
                user=identity.user,
            )
            if not rows:
                return None
            home = Identity(adapter=rows[0]["adapter"], user=rows[0]["user"])
            await transaction.run(
                "INSERT INTO links (adapter, user, chat, to_adapter, to_user, to_chat) "
                "VALUES (:adapter, :user, :chat, :to_adapter, :to_user, :to_chat)",
                adapter=identity.adapter,
                user=identity.user,
                chat=chat,
                to_adapter=home.adapter,
                to_user=home.user,
                to_chat=rows[0]["chat"],
            )
            # The one that is linked now cannot be a home as well.
            await transaction.run(
                "DELETE FROM link_codes WHERE adapter = :adapter AND user = :user",
                adapter=identity.adapter,
                user=identity.user,
            )
        return home

    async def unlink(self, identity: Identity) -> int:
        """Separate the account from the others, or, where it has the history, all of them; return how many links."""
        async with self._database.transaction() as transaction:
            rows = await transaction.run(
                "DELETE FROM links WHERE (adapter = :adapter AND user = :user) "
                "OR (to_adapter = :adapter AND to_user = :user) RETURNING user",
                adapter=identity.adapter,
                user=identity.user,
            )
        return len(rows)
