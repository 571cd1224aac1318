"""The client that listens to Discord."""

import logging
from collections.abc import Callable, Sequence
from typing import Any

import discord
from discord import app_commands

from adapters.discord.absence import Absence
from adapters.discord.command_button import CommandButton
from adapters.discord.command_menu import CommandMenu
from adapters.discord.intake import Intake
from adapters.discord.settings import DiscordSettings
from bot.adapter import ChatCore

log = logging.getLogger(__name__)

_LONGEST_WAIT_S = 30.0
"""Seconds that discord.py may sleep in a rate limit by itself, the least it takes; for more, the core is told."""
PERMISSIONS = discord.Permissions(
    view_channel=True,
    send_messages=True,
    send_messages_in_threads=True,
    create_public_threads=True,
    attach_files=True,
    read_message_history=True,
)
"""What the bot uses on a server."""


class BotClient(discord.Client):
    """Hears messages, commands and presses, and keeps neither members nor old messages in memory."""

    def __init__(self, *, name: str, settings: DiscordSettings, core: ChatCore, absence: Absence) -> None:
        super().__init__(
            intents=discord.Intents(guilds=True, guild_messages=True, dm_messages=True, message_content=True),
            allowed_mentions=discord.AllowedMentions.none(),
            member_cache_flags=discord.MemberCacheFlags.none(),
            chunk_guilds_at_startup=False,
            guild_ready_timeout=0.0,  # nothing of a server has to be known before its messages are answered
            max_messages=None,
            max_ratelimit_timeout=_LONGEST_WAIT_S,
            proxy=settings.proxy_url,
        )
        self.tree = app_commands.CommandTree(self)
        self.intake = Intake(client=self, name=name, settings=settings, core=core)
        self._core = core
        self._absence = absence
        self._guard_events()

    @property
    def me(self) -> discord.ClientUser:
        """The bot's own account, once it is signed in."""
        if self.user is None:
            raise RuntimeError("not signed in yet")
        return self.user

    async def setup_hook(self) -> None:
        """Publish the commands, and listen for buttons of messages from before."""
        self.add_dynamic_items(CommandButton)
        CommandMenu(tree=self.tree, commands=self._core.commands).build()
        try:
            await self.tree.sync()
        except discord.HTTPException as error:
            # Messages are answered without it, and written commands as well.
            log.warning("the commands could not be published: %s", error)

    def choices(self, command: str) -> Sequence[str]:
        """Known values of a command's argument, as they are now."""
        spec = next((spec for spec in self._core.commands if spec.name == command), None)
        return spec.choices if spec else ()

    async def known_channel(self, channel: discord.PartialMessageable) -> Any:
        """The channel with what Discord knows of it; as it is where the bot may not ask."""
        try:
            return await self.fetch_channel(channel.id)
        except discord.HTTPException:
            return channel

    async def on_ready(self) -> None:
        """Say who it is, and how it gets to a server; answer what came meanwhile. After each new session."""
        log.info("signed in as %s on %d servers", self.me, len(self.guilds))
        if not self.guilds:
            log.info("invite the bot to a server: %s", invite_link(self.me.id))
        self.intake.catch_up()
        await self._absence.end()

    async def on_resumed(self) -> None:
        """The connection is there again, and nothing was missed."""
        await self._absence.end()

    async def on_disconnect(self) -> None:
        """It is lost, and discord.py tries again."""
        self._absence.begin()

    async def on_message(self, message: discord.Message) -> None:
        """Somebody wrote."""
        self.intake.message(message)

    async def on_raw_message_edit(self, payload: discord.RawMessageUpdateEvent) -> None:
        """Somebody wrote anew; a preview that Discord adds to a message is reported the same way."""
        if payload.message.edited_at is not None:
            self.intake.message(payload.message, edited=True)

    async def on_error(self, event_method: str, /, *args: Any, **kwargs: Any) -> None:
        """Log what went wrong with an event, and go on. Its content is not logged."""
        del args, kwargs
        log.error("the event %s could not be handled", event_method, exc_info=True)  # noqa: LOG014 - called in an except

    def _guard_events(self) -> None:
        """Survive events that are not as documented: discord.py would end the connection with their error."""
        parsers = self._connection.parsers
        for event, parse in parsers.items():
            parsers[event] = _guarded(event, parse)


def _guarded(event: str, parse: Callable[[Any], None]) -> Callable[[Any], None]:
    def parse_guarded(data: Any) -> None:
        try:
            parse(data)
        except Exception:
            log.exception("Discord sent a %s event that makes no sense; it is left out", event)

    return parse_guarded


def invite_link(application_id: int) -> str:
    """Where the owner of a server adds the bot to it."""
    return discord.utils.oauth_url(application_id, permissions=PERMISSIONS, scopes=("bot", "applications.commands"))
