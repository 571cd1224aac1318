"""The command that reads the configuration again."""

from collections.abc import Awaitable, Callable, Sequence

from bot.chat.access import identity_of
from bot.chat.clock import Clock
from bot.chat.commands.command import Command, CommandCall, ImmediateCommand
from bot.errors import HearthbotError
from bot.messages import CommandSpec
from bot.storage.audit_repository import AuditRepository

Reload = Callable[[], Awaitable[object]]
"""Puts the file into effect and returns what was different, in words as text. Raises what is wrong with it."""


class ReloadCommands:
    """`/reload`."""

    def __init__(self, *, reload: Reload, audit: AuditRepository, clock: Clock) -> None:
        self._reload = reload
        self._audit = audit
        self._clock = clock

    def commands(self) -> Sequence[Command]:
        """In the order of a menu."""
        return (
            ImmediateCommand(
                spec=CommandSpec(name="reload", summary="Read the configuration file again", admin=True),
                run=self._run,
            ),
        )

    async def _run(self, call: CommandCall) -> None:
        try:
            done = str(await self._reload())
        except HearthbotError as error:
            # An admin may see what the log says: the file, the line and the key.
            await call.say(f"Nothing was changed.\n{error}")
            return
        await self._audit.note(
            actor=str(identity_of(call.message)), act="reload", detail=done, now_ms=self._clock.wall_ms()
        )
        await call.say(f"The configuration was read again; {done}.")
