"""What admins decide about people, from a chat or from the command line."""

from bot.errors import InvalidRequestError
from bot.settings import PermissionSettings
from bot.storage.access_records import Identity, Pairing, Role
from bot.storage.pairing_repository import Decision, PairingRepository
from bot.storage.people_repository import PeopleRepository

_DONE = {"approve": "is let in", "deny": "is not let in, and not answered for a week", "block": "is shut out"}


class Admission:
    """Lets people in and shuts them out. Methods return what was done in words, and raise `InvalidRequestError`."""

    def __init__(
        self, *, people: PeopleRepository, pairings: PairingRepository, permissions: PermissionSettings
    ) -> None:
        self._people = people
        self._pairings = pairings
        users = permissions.users
        # Later ones win.
        self._configured: dict[str, Role] = {
            **dict.fromkeys(users.allowed_ids, "user"),
            **dict.fromkeys(users.admin_ids, "admin"),
            **dict.fromkeys(users.blocked_ids, "blocked"),
        }

    async def decide(self, whom: str, decision: Decision, *, actor: str, now_ms: int) -> str:
        """Decide about a code, or about an id, which need not have asked."""
        pairing = await self._find(whom, now_ms)
        identity = pairing.identity if pairing else Identity.parse(whom)
        if identity is None:
            raise InvalidRequestError(
                f"Nobody waits with the code {whom}. Codes are good for an hour; ids, written as adapter:id, always."
            )
        self._check(identity, decision)
        if pairing is None:
            if decision == "deny":
                raise InvalidRequestError(f"{identity} does not wait to be let in.")
            return await self.set_role(
                identity, "user" if decision == "approve" else "blocked", actor=actor, now_ms=now_ms
            )
        if not await self._pairings.decide(pairing, decision, actor=actor, now_ms=now_ms):
            raise InvalidRequestError("Somebody else has decided about that just now.")
        return f"{described(identity, pairing.name)} {_DONE[decision]}."

    async def set_role(self, identity: Identity, role: Role | None, *, actor: str, now_ms: int) -> str:
        """Make somebody an admin or a user, shut them out, or forget that anything was said about them."""
        if role == "blocked":
            self._check(identity, "block")
        await self._people.set_role(identity, role, actor=actor, now_ms=now_ms)
        now = {"admin": "an admin", "user": "let in", "blocked": "shut out", None: "unknown to me"}[role]
        configured = self._configured.get(str(identity))
        if configured not in {None, role} and role != "blocked":
            return f"{identity} is {now}; but the configuration says {configured}, and that is what counts."
        return f"{identity} is {now}."

    async def waiting(self, now_ms: int) -> list[Pairing]:
        """Who waits to be let in."""
        return await self._pairings.pending(now_ms)

    async def _find(self, whom: str, now_ms: int) -> Pairing | None:
        wanted = whom.strip()
        for pairing in await self._pairings.pending(now_ms):
            if pairing.code == wanted.upper() or str(pairing.identity) == wanted:
                return pairing
        return None

    def _check(self, identity: Identity, decision: Decision) -> None:
        """The configuration wins, so what it contradicts would have no effect, or lock an owner out."""
        if decision == "block" and self._configured.get(str(identity)) == "admin":
            raise InvalidRequestError(
                f"{identity} is an admin by permissions.users.admin_ids; take it out there first."
            )
        if decision == "approve" and self._configured.get(str(identity)) == "blocked":
            raise InvalidRequestError(f"{identity} is in permissions.users.blocked_ids; take it out there first.")


def described(identity: Identity, name: str) -> str:
    """A name with the id, which is what counts."""
    return f"{name} ({identity})" if name else str(identity)
