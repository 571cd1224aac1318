"""The way to Telegram."""

from telegram import Bot
from telegram.request import HTTPXRequest

from adapters.telegram.settings import TelegramSettings
from adapters.telegram.tolerant_request import TolerantRequest

POLL_S = 50
"""Seconds that Telegram keeps a request for updates open when there are none; it allows 50."""
_CONNECT_S = 10.0
_READ_S = 20.0
_UPLOAD_S = 60.0
_POOL_S = 30.0
"""Seconds that a call may wait for a free connection."""
_CONNECTIONS = 64


class Connection:
    """The bot, and the connections that belong to it. A call is never repeated here."""

    def __init__(self, settings: TelegramSettings) -> None:
        if settings.token is None:
            raise ValueError("a section without a token is not to be started")
        proxy = settings.proxy.get_secret_value() if settings.proxy else None
        self.polling = TolerantRequest(
            connection_pool_size=2, connect_timeout=_CONNECT_S, read_timeout=_READ_S, pool_timeout=_POOL_S, proxy=proxy
        )
        self.bot = Bot(
            settings.token.get_secret_value(),
            base_url=settings.base_url,
            base_file_url=settings.base_file_url,
            request=HTTPXRequest(
                connection_pool_size=_CONNECTIONS,
                connect_timeout=_CONNECT_S,
                read_timeout=_READ_S,
                write_timeout=_READ_S,
                media_write_timeout=_UPLOAD_S,
                pool_timeout=_POOL_S,
                proxy=proxy,
            ),
            get_updates_request=self.polling,
        )

    async def renew_polling(self) -> None:
        """Give the connections for updates up and make new ones; what hangs in them breaks off."""
        await self.polling.shutdown()
        await self.polling.initialize()
