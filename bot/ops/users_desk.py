"""Everybody who may talk to the bot, and those who may not, as the command line shows and decides it."""

import getpass
import os
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Self

from bot.chat.admission import Admission
from bot.errors import InvalidRequestError
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
        self._permissions = permissions
        self._people = PeopleRepository(database)
        self._pairings = PairingRepository(database)
        self._audit = AuditRepository(database)
        self._admission = Admission(people=self._people, pairings=self._pairings, permissions=permissions)

    async def everybody(self) -> list[dict[str, str]]:
        """Id, role, name, and where that is written: the configuration comes before what was stored."""
        found = {each["id"]: each for each in self._configured()}
        for person in await self._people.all():
            shown = _row(str(person.identity), person.role, "stored", person.name)
            known = found.get(shown["id"])
            if known is None or person.role == "blocked":
                found[shown["id"]] = shown
            else:
                known["name"] = person.name
        waiting = [
            _row(str(each.identity), "asks", f"code {each.code}", each.name)
            for each in await self._admission.waiting(_now_ms())
        ]
        return [*found.values(), *waiting]

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

    def _configured(self) -> Iterator[dict[str, str]]:
        users = self._permissions.users
        for role, ids in (("user", users.allowed_ids), ("admin", users.admin_ids), ("blocked", users.blocked_ids)):
            for identity in ids:
                yield _row(identity, role, "configuration", "")


def _row(identity: str, role: str, source: str, name: str) -> dict[str, str]:
    return {"id": identity, "role": role, "source": source, "name": name}


def _actor() -> str:
    """Whose command line it is."""
    try:
        return f"{getpass.getuser()} on the command line"
    except (KeyError, OSError):  # a user id without an entry in the password database, as in containers
        return f"user {os.getuid()} on the command line"


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
