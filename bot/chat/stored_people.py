"""Everybody who may talk to the bot, and those who may not, as admins see and decide it."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from bot.chat.admission import Admission
from bot.chat.clock import Clock
from bot.people import KnownPerson, PersonDecision, PersonRole
from bot.settings import PermissionSettings
from bot.storage.people_repository import PeopleRepository


class StoredPeople:
    """A `PeopleRegister` over the configuration and the database."""

    def __init__(
        self,
        *,
        people: PeopleRepository,
        admission: Admission,
        permissions: PermissionSettings,
        clock: Clock,
        welcome: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """`welcome` tells those who were let in; None where a daemon beside does."""
        self._people = people
        self._admission = admission
        self._permissions = permissions
        self._clock = clock
        self._welcome = welcome

    async def everybody(self) -> Sequence[KnownPerson]:
        """Those who ask last. The configuration comes before what was stored, but for who was shut out."""
        found = self._configured()
        for person in await self._people.all():
            known = found.get(str(person.identity))
            if known is None or person.role == "blocked":
                found[str(person.identity)] = KnownPerson(id=str(person.identity), name=person.name, role=person.role)
            else:
                found[known.id] = replace(known, name=person.name)
        waiting = [
            KnownPerson(id=str(each.identity), name=each.name, role="asks", code=each.code)
            for each in await self._admission.waiting(self._clock.wall_ms())
        ]
        return [*found.values(), *waiting]

    async def decide(self, whom: str, decision: PersonDecision, *, actor: str) -> str:
        """Decide about a code or an id; whoever is let in is told so."""
        done = await self._admission.decide(whom, decision, actor=actor, now_ms=self._clock.wall_ms())
        if self._welcome is not None:
            await self._welcome()
        return done

    def _configured(self) -> dict[str, KnownPerson]:
        users = self._permissions.users
        roles: tuple[tuple[PersonRole, tuple[str, ...]], ...] = (
            ("user", users.allowed_ids),
            ("admin", users.admin_ids),
            ("blocked", users.blocked_ids),
        )
        return {
            identity: KnownPerson(id=identity, name="", role=role, configured=True)
            for role, ids in roles
            for identity in ids
        }
