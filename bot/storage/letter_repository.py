"""What is to be said to somebody who has not asked, until it has arrived."""

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from bot.messages import Button
from bot.storage.access_records import Identity
from bot.storage.database import Database

MOST = 50
"""Kept for one person; of more, the oldest go."""
_ADD = """
    INSERT INTO letters (adapter, user, chat, text, buttons, without_buttons)
    VALUES (:adapter, :user, :chat, :text, :buttons, :without_buttons) RETURNING *
"""
_PRUNE = """
    DELETE FROM letters WHERE adapter = :adapter AND user = :user AND id NOT IN
    (SELECT id FROM letters WHERE adapter = :adapter AND user = :user ORDER BY id DESC LIMIT :most)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One of them."""

    id: int
    to: Identity
    chat: str
    text: str
    buttons: tuple[Button, ...]
    without_buttons: str
    unsure: bool
    """Whether it may have arrived, although nobody knows."""


class LetterRepository:
    """The table `letters`. Every method raises `StorageError`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(
        self, to: Identity, *, chat: str, text: str, buttons: Sequence[Button], without_buttons: str
    ) -> Letter:
        """Keep one more."""
        async with self._database.transaction() as transaction:
            rows = await transaction.run(
                _ADD,
                adapter=to.adapter,
                user=to.user,
                chat=chat,
                text=text,
                buttons=json.dumps([(button.label, button.command) for button in buttons]),
                without_buttons=without_buttons,
            )
            await transaction.run(_PRUNE, adapter=to.adapter, user=to.user, most=MOST)
        return _letter(rows[0])

    async def all(self) -> list[Letter]:
        """All that are left, in their order."""
        return [_letter(row) for row in await self._database.fetch("SELECT * FROM letters ORDER BY id")]

    async def note(self, letter: Letter, *, unsure: bool) -> None:
        """Whether it may have arrived."""
        async with self._database.transaction() as transaction:
            await transaction.run("UPDATE letters SET unsure = :unsure WHERE id = :id", id=letter.id, unsure=unsure)

    async def remove(self, letter: Letter) -> None:
        """It has arrived, or never will."""
        async with self._database.transaction() as transaction:
            await transaction.run("DELETE FROM letters WHERE id = :id", id=letter.id)


def _letter(row: sqlite3.Row) -> Letter:
    return Letter(
        id=row["id"],
        to=Identity(adapter=row["adapter"], user=row["user"]),
        chat=row["chat"],
        text=row["text"],
        buttons=tuple(Button(label=label, command=command) for label, command in json.loads(row["buttons"])),
        without_buttons=row["without_buttons"],
        unsure=bool(row["unsure"]),
    )
