"""What becomes of people who are not let in yet."""

import logging

from bot.chat.access import identity_of
from bot.chat.announcer import Announcer
from bot.chat.claim_code import ClaimCode
from bot.chat.clock import Clock
from bot.chat.codes import new_code, read_code
from bot.chat.excerpt import excerpt
from bot.messages import Button, IncomingMessage
from bot.storage.access_records import Identity, Pairing
from bot.storage.pairing_repository import PairingRepository
from bot.storage.people_repository import PeopleRepository

_LOGGER = logging.getLogger(__name__)
_ATTEMPTS = 5
"""Codes that one person may try in an hour."""
_GROUPS = 2


class Entrance:
    """The first one in with the claim code becomes the admin; everybody else asks the admins."""

    def __init__(
        self,
        *,
        people: PeopleRepository,
        pairings: PairingRepository,
        claim: ClaimCode,
        announcer: Announcer,
        clock: Clock,
        has_configured_admin: bool,
    ) -> None:
        self._people = people
        self._pairings = pairings
        self._claim = claim
        self._announcer = announcer
        self._clock = clock
        self._has_configured_admin = has_configured_admin

    async def offer_claim(self) -> str | None:
        """Where there is no admin, show a code in the log for becoming the first; None where there is one."""
        if self._has_configured_admin or await self._people.has_admin():
            self._claim.withdraw()
            return None
        code = self._claim.value
        if code is None:
            code = self._claim.issue()
            _LOGGER.warning("nobody is admin yet: from your chat app, send me this within an hour to be it: %s", code)
        return code

    async def try_claim(self, message: IncomingMessage) -> str | None:
        """What to answer where the message is an attempt to become the first admin; None where it is none."""
        code = read_code(message.text) if message.direct and self._claim.value is not None else None
        if code is None:
            return None
        identity, now_ms = identity_of(message), self._clock.wall_ms()
        if not await self._pairings.may_try(identity, limit=_ATTEMPTS, now_ms=now_ms):
            return "You have tried too many codes. Please wait an hour."
        if not self._claim.matches(code):
            _LOGGER.warning("%s sent a wrong code for becoming the admin", identity)
            return "That is not the code, or it is too old. The current one stands in my log."
        if not await self.claim(identity, name=_plain_name(message), code=code):
            return None
        await self._people.remember_chat(identity, message.chat)
        return (
            "Welcome! You are my admin from now on. When somebody new writes to me, I ask you whether to let them in; "
            "/pairing shows who waits, and /help what else I can do."
        )

    async def claim(self, identity: Identity, *, name: str, code: str) -> bool:
        """Make somebody the first admin; False for a wrong code, or where there is one. Raises `StorageError`."""
        if not self._claim.matches(code):
            return False
        claimed = not self._has_configured_admin and await self._people.claim(
            identity, name=name, now_ms=self._clock.wall_ms()
        )
        self._claim.withdraw()
        if claimed:
            _LOGGER.warning("%s (%s) is the admin now", identity, name or "no name")
        return claimed

    async def refuse(self, message: IncomingMessage) -> str | None:
        """What a stranger is told, in a private chat: once, until the code is too old. None for silence."""
        pairing = await self._pairings.ask(
            identity_of(message),
            name=_plain_name(message),
            chat=message.chat,
            code=new_code(_GROUPS),
            now_ms=self._clock.wall_ms(),
        )
        if pairing is None:
            return None
        await self.offer_claim()  # a new one, where the one before has become too old
        how = (
            "I have asked the owner of this bot to let you in"
            if await self._ask_admins(pairing)
            else "The owner of this bot can let you in"
        )
        return (
            f"I do not know you yet, so I cannot answer. {how}: your code is {pairing.code}, and your id is "
            f"{pairing.identity}. I will write to you when it is done."
        )

    async def _ask_admins(self, pairing: Pairing) -> int:
        """Ask them, and return how many were reached."""
        who = f"{pairing.name} ({pairing.identity})" if pairing.name else str(pairing.identity)
        _LOGGER.warning("%s asks to be let in: hearthbot users approve %s", who, pairing.code)
        command = f"/pairing approve {pairing.code}"
        return await self._announcer.tell_admins(
            f"{who} asks to talk to me. Code: {pairing.code}",
            [
                Button(label="Let in", command=command),
                Button(label="Not now", command=f"/pairing deny {pairing.code}"),
                Button(label="Block", command=f"/pairing block {pairing.code}"),
            ],
            without_buttons=f"{command} lets them in; /pairing deny or /pairing block and the code does not.",
        )


def _plain_name(message: IncomingMessage) -> str:
    """What somebody calls themselves, on one short line."""
    return excerpt(message.sender_name)
