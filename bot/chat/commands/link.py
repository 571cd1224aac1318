"""The command that makes one person of two accounts."""

from collections.abc import Sequence

from bot.chat.access import identity_of
from bot.chat.clock import Clock
from bot.chat.codes import hashed, new_code, read_code
from bot.chat.commands.command import Command, CommandCall, ImmediateCommand
from bot.messages import CommandSpec
from bot.storage.access_records import Identity
from bot.storage.link_repository import LinkRepository
from bot.storage.pairing_repository import PairingRepository

_GROUPS = 3
_ATTEMPTS = 5
_OFF = "off"


class LinkCommands:
    """`/link`. Both accounts must have been let in: a link gives nobody a role."""

    def __init__(self, *, links: LinkRepository, pairings: PairingRepository, clock: Clock) -> None:
        self._links = links
        self._pairings = pairings
        self._clock = clock

    def commands(self) -> Sequence[Command]:
        """In the order of a menu."""
        return (
            ImmediateCommand(
                spec=CommandSpec(
                    name="link",
                    summary="Go on with this conversation on another platform",
                    argument=f"[CODE|{_OFF}]",
                    choices=(_OFF,),
                ),
                run=self._link,
            ),
        )

    async def _link(self, call: CommandCall) -> None:
        identity = identity_of(call.message)
        if not call.message.direct:
            await call.say("A code is nothing for a group. Please send me /link in a private chat.")
        elif call.argument.casefold() == _OFF:
            await call.say(await self._unlink(identity))
        elif not call.argument:
            await call.say(await self._offer(identity, call.message.chat))
        else:
            await call.say(await self._accept(identity, call.message.chat, call.argument))

    async def _offer(self, identity: Identity, chat: str) -> str:
        link = await self._links.of(identity)
        code = new_code(_GROUPS)
        await self._links.offer(
            link.home if link else identity,
            chat=link.home_chat if link else chat,
            code_hash=hashed(code),
            now_ms=self._clock.wall_ms(),
        )
        others = [str(each) for each in await self._links.accounts(identity) if each != identity]
        now = f"You are linked with {' and '.join(others)}; /link {_OFF} ends that. " if others else ""
        return (
            f"{now}On the other platform, send me this in a private chat within an hour, and we go on there with this "
            f"conversation: /link {code}"
        )

    async def _accept(self, identity: Identity, chat: str, argument: str) -> str:
        if len(await self._links.accounts(identity)) > 1:
            return f"You are linked already. Send /link {_OFF} first, or /link without a code to add another platform."
        now_ms = self._clock.wall_ms()
        if not await self._pairings.may_try(identity, limit=_ATTEMPTS, now_ms=now_ms):
            return "You have tried too many codes. Please wait an hour."
        code = read_code(argument) or ""
        home = await self._links.link(identity, chat=chat, code_hash=hashed(code), now_ms=now_ms)
        if home is None:
            return "That is not a code of mine, or it is too old. Send /link on the other platform for a new one."
        return (
            f"You are linked with {home}: here we go on with our conversation from there. What we had here before is "
            f"kept, and comes back with /link {_OFF}."
        )

    async def _unlink(self, identity: Identity) -> str:
        if not await self._links.unlink(identity):
            return "You are not linked with another account."
        return "Done. Each account has its own conversation again."
