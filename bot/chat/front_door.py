"""Who may come in, for adapters that know people by keys."""

from bot.chat.access import AccessPolicy
from bot.chat.claim_code import ClaimCode
from bot.chat.codes import read_code
from bot.chat.entrance import Entrance
from bot.people import PersonRole
from bot.storage.access_records import Identity


class FrontDoor:
    """A `Door` over the same rules as for messages."""

    def __init__(self, *, access: AccessPolicy, entrance: Entrance, claim: ClaimCode) -> None:
        self._access = access
        self._entrance = entrance
        self._claim = claim

    @property
    def claim_code(self) -> str | None:
        """What makes the first admin, as long as there is none."""
        return self._claim.value

    async def role(self, person: str) -> PersonRole | None:
        """As the configuration and the admins have it."""
        identity = Identity.parse(person)
        return None if identity is None else await self._access.role(identity)

    async def claim(self, person: str, *, name: str, code: str) -> bool:
        """Let somebody be the first admin, who has typed the code."""
        identity, read = Identity.parse(person), read_code(code)
        return identity is not None and read is not None and await self._entrance.claim(identity, name=name, code=read)
