"""Reloads when the file is saved and when SIGHUP comes."""

import asyncio
import logging
import signal
from collections.abc import Awaitable, Callable

from bot.errors import HearthbotError, StorageError
from bot.live.config_watch import ConfigWatch
from bot.live.reload_signal import ReloadSignal
from bot.live.reloader import Reloader

log = logging.getLogger(__name__)


class ReloadTriggers:
    """Tells the log and the admins what is wrong with a file that was saved; the daemon goes on with the old one."""

    def __init__(
        self,
        *,
        reloader: Reloader,
        watch: ConfigWatch,
        hangup: ReloadSignal,
        hung_up: Callable[[], bool],
        tell_admins: Callable[[str], Awaitable[object]],
    ) -> None:
        """`hung_up` says whether the terminal that the daemon was started on is gone."""
        self._reloader = reloader
        self._watch = watch
        self._hangup = hangup
        self._hung_up = hung_up
        self._tell_admins = tell_admins

    async def run(self) -> None:
        """Go on until cancelled."""
        try:
            await asyncio.gather(self._on_saves(), self._on_signals())
        finally:
            await self._reloader.aclose()

    async def _on_saves(self) -> None:
        async for _ in self._watch.saves():
            await self._reload()

    async def _on_signals(self) -> None:
        while True:
            await self._hangup.wait()
            if self._hung_up():
                # Nobody can reach a console that lost its terminal: end as programs do then.
                signal.raise_signal(signal.SIGTERM)
            else:
                await self._reload()

    async def _reload(self) -> None:
        try:
            await self._reloader.reload()
        except HearthbotError as error:
            log.error("the configuration was not changed: %s", error)  # noqa: TRY400 - expected, and said in full
            await self._tell(f"The configuration has a mistake, so I go on with the old one.\n{error}")
        except Exception:
            log.exception("the configuration could not be read again")

    async def _tell(self, text: str) -> None:
        try:
            await self._tell_admins(text)
        except StorageError as error:
            log.warning("the admins could not be told: %s", error)
