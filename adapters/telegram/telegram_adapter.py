"""Telegram as an adapter."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import ClassVar

from telegram import Update
from telegram.error import TelegramError

from adapters.telegram.address_rules import AddressRules
from adapters.telegram.chat_changes import ChatChanges
from adapters.telegram.command_menu import CommandMenu
from adapters.telegram.connection import Connection
from adapters.telegram.examination import Examination
from adapters.telegram.failures import adapter_error
from adapters.telegram.intake import Intake
from adapters.telegram.poller import Poller
from adapters.telegram.renderer import Renderer
from adapters.telegram.settings import TelegramSettings
from adapters.telegram.target import TelegramTarget
from adapters.telegram.translator import Translator
from adapters.telegram.update_source import UpdateSource
from adapters.telegram.webhook import Webhook
from bot.adapter import Adapter, ChatCore, ReplyTarget
from bot.check import Check
from bot.messages import ChatAddress, IncomingMessage
from bot.settings import AdapterSettings

_LOGGER = logging.getLogger(__name__)


class TelegramAdapter(Adapter):
    """Talks to people on Telegram as the bot that the token belongs to."""

    settings_type: ClassVar[type[AdapterSettings]] = TelegramSettings

    def __init__(
        self,
        *,
        name: str,
        settings: TelegramSettings,
        core: ChatCore,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`sleep` is in seconds."""
        super().__init__(name=name, settings=settings, core=core)
        self._telegram_settings = settings
        self._sleep = sleep
        self._renderer = Renderer()
        self._connection = Connection(settings)
        self._intake = Intake(limit=settings.max_updates)
        self._changes = ChatChanges(name=name, core=core)
        self._translator: Translator | None = None
        self._source: UpdateSource | None = None
        self._receiving: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Log in, publish the commands, and begin to fetch messages."""
        settings = self._telegram_settings
        menu = CommandMenu(self.core.commands, translations=settings.menus, name=self.name)
        bot = self._connection.bot
        try:
            await bot.initialize()
            self._translator = self._new_translator()
            await self._publish(menu)
            self._source = self._new_source()
            await self._source.start()
        except TelegramError as error:
            raise adapter_error(error, self.name) from error
        _LOGGER.info("%s: this is @%s, https://t.me/%s", self.name, bot.username, bot.username)
        self._receiving = asyncio.create_task(self._source.run(), name=f"{self.name} updates")

    async def wait(self) -> None:
        """Never return; raise when messages cannot be fetched any more."""
        if self._receiving is None:
            raise RuntimeError("wait was called before start")
        await asyncio.shield(self._receiving)

    async def drain(self) -> None:
        """Fetch no more messages; return when those that were are answered."""
        await self._stop_receiving()
        if self._source is not None:
            try:
                await self._source.drain()
            except TelegramError as error:
                _LOGGER.warning("%s: what was answered may come again at the next start: %s", self.name, error.message)
        await self._intake.finish()

    async def aclose(self) -> None:
        """Give every connection back. Replies that are being written are cancelled."""
        await self._stop_receiving()
        if self._source is not None:
            await self._source.aclose()
        await self._intake.cancel()
        await self._connection.bot.shutdown()

    def target(self, address: ChatAddress) -> ReplyTarget:
        """Where to say something in a chat or topic."""
        return TelegramTarget(
            address, bot=self._connection.bot, renderer=self._renderer, settings=self._telegram_settings
        )

    @classmethod
    async def examine(cls, name: str, settings: AdapterSettings) -> Sequence[Check]:
        """Say whose token it is and what that bot may read."""
        return await Examination(name, _own(settings)).examine()

    def _new_source(self) -> UpdateSource:
        settings = self._telegram_settings
        if settings.webhook.url is not None:
            return Webhook(settings.webhook, name=self.name, bot=self._connection.bot, take=self._take)
        return Poller(
            self._connection,
            name=self.name,
            take=self._take,
            watchdog_s=settings.watchdog_s,
            away=lambda reason: self.core.disconnected(self.name, "retrying", reason),
            back=self._come_back,
            sleep=self._sleep,
        )

    async def _come_back(self) -> None:
        await self.core.connecting(self.name)
        self.core.connected(self.name, self.target)

    def _new_translator(self) -> Translator:
        bot = self._connection.bot
        names = {name for command in self.core.commands for name in (command.name, *command.aliases)}
        rules = AddressRules(bot=bot.bot, commands=names, groups=self._telegram_settings.groups)
        return Translator(adapter=self.name, bot=bot, rules=rules)

    async def _publish(self, menu: CommandMenu) -> None:
        try:
            await menu.publish(self._connection.bot)
        except TelegramError as error:
            # The bot answers without it.
            _LOGGER.warning("%s: the command menu was not updated: %s", self.name, error.message)

    async def _take(self, update: Update) -> asyncio.Event:
        if self._translator is None:
            raise RuntimeError("updates came before start")
        taken = asyncio.Event()
        await self._changes.apply(update)
        if update.callback_query is not None:
            await self._intake.take(self._acknowledge(update.callback_query.id))
        try:
            message = self._translator.translate(update)
        except Exception:  # whatever is in it, the next one must be answered
            _LOGGER.exception("an update cannot be understood and is left out")
            message = None
        if message is None:
            taken.set()
        else:
            await self._intake.take(self._answer(message, taken))
        return taken

    async def _answer(self, message: IncomingMessage, taken: asyncio.Event) -> None:
        try:
            await self.core.handle(message, self.target(message.address), taken.set)
        finally:
            taken.set()

    async def _acknowledge(self, query_id: str) -> None:
        """Take the clock off the button at once; what it does may take longer."""
        try:
            await self._connection.bot.answer_callback_query(query_id)
        except TelegramError as error:
            _LOGGER.info("%s: a pressed button was not acknowledged: %s", self.name, error.message)

    async def _stop_receiving(self) -> None:
        if self._receiving is not None:
            self._receiving.cancel()
            await asyncio.gather(self._receiving, return_exceptions=True)


def _own(settings: AdapterSettings) -> TelegramSettings:
    if not isinstance(settings, TelegramSettings):
        raise TypeError(f"{type(settings).__name__} is the section of another adapter")
    return settings
