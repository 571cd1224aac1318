"""The command with which admins let people in."""

from collections.abc import Sequence
from typing import get_args

from bot.chat.access import identity_of
from bot.chat.admission import Admission, described
from bot.chat.clock import Clock
from bot.chat.commands.command import Command, CommandCall, ImmediateCommand
from bot.chat.welcomes import Welcomes
from bot.messages import CommandSpec
from bot.storage.pairing_repository import Decision

_USAGE = "Send /pairing to see who waits, and /pairing approve, deny or block with a code or an id."


class PairingCommands:
    """`/pairing`."""

    def __init__(self, *, admission: Admission, welcomes: Welcomes, clock: Clock) -> None:
        self._admission = admission
        self._welcomes = welcomes
        self._clock = clock

    def commands(self) -> Sequence[Command]:
        """In the order of a menu."""
        return (
            ImmediateCommand(
                spec=CommandSpec(
                    name="pairing",
                    summary="Show who asks to be let in, or decide about them",
                    argument="[approve|deny|block CODE]",
                    choices=("list", *get_args(Decision)),
                    admin=True,
                ),
                run=self._pairing,
            ),
        )

    async def _pairing(self, call: CommandCall) -> None:
        words = call.argument.split()
        match words:
            case [] | ["list"]:
                await call.say(await self._list())
            case ["approve" | "deny" | "block" as decision, whom]:
                actor = str(identity_of(call.message))
                done = await self._admission.decide(whom, decision, actor=actor, now_ms=self._clock.wall_ms())
                await call.say(done)
                await self._welcomes.tell()
            case _:
                await call.say(_USAGE)

    async def _list(self) -> str:
        waiting = await self._admission.waiting(self._clock.wall_ms())
        if not waiting:
            return "Nobody waits to be let in."
        lines = [
            f"- {pairing.code}: {described(pairing.identity, pairing.name)}, since {pairing.created_at:%H:%M} UTC"
            for pairing in waiting
        ]
        return "\n".join(["Who asks to be let in:", *lines, "", _USAGE])
