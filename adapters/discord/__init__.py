"""Discord: direct messages, servers and threads, over the gateway."""

from adapters.discord.discord_adapter import DiscordAdapter
from adapters.discord.settings import DiscordSettings

__all__ = ["DiscordAdapter", "DiscordSettings"]
