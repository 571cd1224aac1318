"""Where discord.py connects to."""

import discord
import yarl
from discord.gateway import DiscordWebSocket
from discord.http import Route

from adapters.discord.settings import DiscordSettings


def use_endpoints(settings: DiscordSettings) -> None:
    """Point discord.py to a compatible server. It keeps both addresses in its classes, so one process has one."""
    if settings.api_base is not None:
        Route.BASE = settings.api_base
    if settings.gateway_url is not None:
        DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(settings.gateway_url)
    # Otherwise every start warns of libraries for voice, which is not used.
    discord.VoiceClient.warn_nacl = False
    discord.VoiceClient.warn_dave = False
