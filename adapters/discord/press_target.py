"""The answer to a button."""

import asyncio
import logging

import discord

from adapters.discord.channel_target import ChannelTarget
from adapters.discord.failures import ExpiredError, told
from adapters.discord.markdown import DiscordMarkdown
from adapters.discord.place import Place
from bot.adapter import ReplyLimits
from bot.messages import OutgoingMessage

log = logging.getLogger(__name__)


class PressTarget(ChannelTarget):
    """Answers in the channel, where the button is; a word for the one who pressed is shown to them alone."""

    def __init__(
        self, interaction: discord.Interaction, *, place: Place, markdown: DiscordMarkdown, limits: ReplyLimits
    ) -> None:
        """Tells Discord at once that the press was heard."""
        super().__init__(place=place, markdown=markdown, limits=limits, reply_to=None)
        self._interaction = interaction
        self._acknowledging = asyncio.create_task(self._acknowledge(), name="discord acknowledgement")

    async def send(self, message: OutgoingMessage) -> str:
        """Show a new message."""
        await self._acknowledging
        if message.notice and message.final and not self._interaction.is_expired():
            try:
                with told():
                    sent = await self._interaction.followup.send(self.content(message), ephemeral=True, wait=True)
                    return str(sent.id)
            except ExpiredError:
                log.info("a press has expired; its answer goes to the channel")
        return await super().send(message)

    async def close(self) -> None:
        """Return when Discord was told."""
        await self._acknowledging

    async def _acknowledge(self) -> None:
        try:
            with told():
                await self._interaction.response.defer()
        except Exception as error:  # noqa: BLE001 - the command is carried out all the same
            log.warning("Discord was told too late of a press (%s)", error or type(error).__name__)
