"""Everybody who may talk to the bot, and those who may not, as the command line shows and decides it."""

import getpass
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Self

from bot.chat.admission import Admission
from bot.chat.clock import SystemClock
from bot.chat.stored_people import StoredPeople
from bot.errors import InvalidRequestError
from bot.people import KnownPerson
from bot.settings import Configuration, PermissionSettings
from bot.storage.access_records import Identity, Role
from bot.storage.audit_repository import AuditRepository
from bot.storage.database import Database
from bot.storage.pairing_repository import Decision, PairingRepository
from bot.storage.people_repository import PeopleRepository


class UsersDesk:
    """Works on the database beside a running daemon, which looks there for every message."""

    @classmethod
    @asynccontextmanager
    async def open(cls, configuration: Configuration, path: Path) -> AsyncIterator[Self]:
        """Open the database at `path`. Raises `StorageError`."""
        database = await Database.open(path, busy_timeout_s=configuration.storage.busy_timeout_s)
        try:
            yield cls(database, configuration.permissions)
        finally:
            await database.aclose()

    def __init__(self, database: Database, permissions: PermissionSettings) -> None:
        people = PeopleRepository(database)
        self._audit = AuditRepository(database)
        self._admission = Admission(people=people, pairings=PairingRepository(database), permissions=permissions)
        self._everybody = StoredPeople(
            people=people, admission=self._admission, permissions=permissions, clock=SystemClock()
        )

    async def everybody(self) -> list[dict[str, str]]:
        """Id, role, name, and where that is written."""
        return [
            {"id": each.id, "role": each.role, "source": _source(each), "name": each.name}
            for each in await self._everybody.everybody()
        ]

    async def decide(self, whom: str, decision: Decision) -> str:
        """Decide about a code or an id. Raises `InvalidRequestError`."""
        return await self._admission.decide(whom, decision, actor=_actor(), now_ms=_now_ms())

    async def role(self, identity: str, role: Role | None) -> str:
        """Give a role, or take it away. Raises `InvalidRequestError`."""
        parsed = Identity.parse(identity)
        if parsed is None:
            raise InvalidRequestError(f"{identity} is no id; ids are written as adapter:id, such as telegram:123456789")
        return await self._admission.set_role(parsed, role, actor=_actor(), now_ms=_now_ms())

    async def audit(self, count: int) -> list[dict[str, str]]:
        """The latest acts of admins, the newest last."""
        return [
            {
                "at": entry.at.isoformat(timespec="seconds"),
                "actor": entry.actor,
                "act": entry.act,
                "subject": entry.subject,
                "detail": entry.detail,
            }
            for entry in await self._audit.latest(count)
        ]


def _source(person: KnownPerson) -> str:
    if person.code:
        return f"code {person.code}"
    return "configuration" if person.configured else "stored"


def _actor() -> str:
    """Whose command line it is."""
    try:
        return f"{getpass.getuser()} on the command line"
    except (KeyError, OSError):  # a user id without an entry in the password database, as in containers
        return f"user {os.getuid()} on the command line"


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
