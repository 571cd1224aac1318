"""What Discord says about a section of the configuration."""

from collections.abc import Sequence

import aiohttp
import discord

from adapters.discord.bot_client import invite_link
from adapters.discord.endpoints import use_endpoints
from adapters.discord.failures import bot_page, connection_error
from adapters.discord.settings import DiscordSettings
from bot.check import Check
from bot.errors import PermanentAdapterError


async def examine(name: str, settings: DiscordSettings) -> Sequence[Check]:
    """Sign in without connecting, and look whether the bot may read messages. Never raises."""
    use_endpoints(settings)
    client = discord.Client(intents=discord.Intents.none(), proxy=settings.proxy_url)
    try:
        await client.login(settings.token.get_secret_value() if settings.token else "")
        application = await client.application_info()
        servers = [guild.name async for guild in client.fetch_guilds(limit=5)]
    except (discord.DiscordException, aiohttp.ClientError, OSError, TimeoutError) as error:
        reason = connection_error(error, application_id=client.application_id)
        fix = "see the message" if isinstance(reason, PermanentAdapterError) else "look at the network, or try later"
        return [Check(name=f"{name} token", status="fail", found=str(reason), fix=fix, exit_code=1)]
    finally:
        await client.close()
    return [
        Check(name=f"{name} token", status="ok", found=f"signed in as {client.user}"),
        _intent(name, application),
        _servers(name, application, servers),
    ]


def _intent(name: str, application: discord.AppInfo) -> Check:
    flags = application.flags
    if flags.gateway_message_content or flags.gateway_message_content_limited:
        return Check(name=f"{name} intents", status="ok", found="Message Content Intent is on")
    return Check(
        name=f"{name} intents",
        status="fail",
        found="Message Content Intent is off: the bot may not read messages",
        fix=f"switch it on under “Privileged Gateway Intents” on {bot_page(application.id)}",
        exit_code=1,
    )


def _servers(name: str, application: discord.AppInfo, servers: Sequence[str]) -> Check:
    if servers:
        return Check(name=f"{name} servers", status="ok", found=", ".join(servers))
    fix = f"whoever owns a server invites it: {invite_link(application.id)}"
    return Check(name=f"{name} servers", status="warn", found="the bot is on no server", fix=fix)
