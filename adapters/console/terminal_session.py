"""A talk at the terminal."""

import asyncio
import logging
from pathlib import Path

from prompt_toolkit.application import get_app_session
from prompt_toolkit.input import Input
from rich.console import Console

from adapters.console.export_folder import ExportFolder
from adapters.console.intake import Intake
from adapters.console.line_target import LineTarget
from adapters.console.prompt import Prompt
from adapters.console.reply_keys import ReplyKeys
from adapters.console.session import console_message
from adapters.console.terminal_target import TerminalTarget
from bot.adapter import ChatCore

log = logging.getLogger(__name__)


class TerminalSession:
    """Prompt, reply, prompt. The terminal is in raw mode all the time, so that Ctrl-C is a key and never a signal."""

    def __init__(
        self,
        *,
        name: str,
        user: str,
        core: ChatCore,
        exports: ExportFolder,
        markdown: bool,
        history_file: Path | None,
        console: Console | None = None,
        terminal: Input | None = None,
    ) -> None:
        """Without `console` and `terminal`, the process's own output and keyboard."""
        self._name = name
        self._user = user
        self._core = core
        self._exports = exports
        self._markdown = markdown
        self._console = console or Console(highlight=False)
        self._terminal = terminal or get_app_session().input
        self._intake = Intake(Prompt(console=self._console, commands=core.commands, history_file=history_file).read)
        self._stopping: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Talk until the person leaves."""
        with self._terminal.raw_mode():
            while (text := await self._intake.next()) is not None:
                await self._answer(text)

    def drain(self) -> None:
        """Take the prompt away."""
        self._intake.close()

    async def _answer(self, text: str) -> None:
        target = TerminalTarget(self._console, self._exports, markdown=self._markdown)
        try:
            with ReplyKeys(self._terminal, self._stop):
                await self._core.handle(console_message(adapter=self._name, user=self._user, text=text), target)
        finally:
            target.close()
            if self._stopping is not None:
                self._stopping.cancel()
                await asyncio.gather(self._stopping, return_exceptions=True)
                self._stopping = None

    def _stop(self) -> None:
        if self._stopping is None:
            self._stopping = asyncio.create_task(self._send_stop(), name=f"{self._name} stop")

    async def _send_stop(self) -> None:
        # The reply itself shows that it was stopped; what the command answers would only repeat it.
        unseen = LineTarget(self._exports)
        await self._core.handle(console_message(adapter=self._name, user=self._user, text="/stop"), unseen)
