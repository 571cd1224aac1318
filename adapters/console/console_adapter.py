"""The console as an adapter."""

import asyncio
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, TextIO

from adapters.console.export_folder import ExportFolder
from adapters.console.line_session import LineSession
from adapters.console.session import Session
from adapters.console.settings import ConsoleSettings
from bot.adapter import Adapter, ChatCore
from bot.local_user import local_user
from bot.settings import AdapterSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class StandardStreams:
    """What the console reads and writes."""

    stdin: TextIO
    stdout: TextIO
    stderr: TextIO

    @property
    def interactive(self) -> bool:
        """Whether a person sits at both ends."""
        return self.stdin.isatty() and self.stdout.isatty()


class ConsoleAdapter(Adapter):
    """Talks to the person at the terminal, or to whatever is connected to standard input and output."""

    settings_type: ClassVar[type[AdapterSettings]] = ConsoleSettings

    def __init__(
        self, *, name: str, settings: ConsoleSettings, core: ChatCore, streams: StandardStreams | None = None
    ) -> None:
        """Without `streams`, the process's own."""
        super().__init__(name=name, settings=settings, core=core)
        self._console_settings = settings
        self._streams = streams or StandardStreams(stdin=sys.stdin, stdout=sys.stdout, stderr=sys.stderr)
        self._session: Session | None = None
        self._running: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Show the prompt, or begin to read lines."""
        at_terminal = self._streams.interactive and self._console_settings.output == "text"
        self._session = self._terminal_session() if at_terminal else self._line_session()
        self._running = asyncio.create_task(self._session.run(), name=f"{self.name} session")

    async def wait(self) -> None:
        """Return when the person has left or the input has ended; raise what went wrong."""
        if self._running is None:
            raise RuntimeError("wait was called before start")
        await asyncio.shield(self._running)

    async def drain(self) -> None:
        """Leave the prompt, or stop reading lines; return when the reply under way has been shown."""
        if self._session is not None and self._running is not None:
            self._session.drain()
            await asyncio.wait({self._running})

    async def aclose(self) -> None:
        """Give the terminal back. A reply that is being written is cancelled."""
        if self._running is not None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)

    @property
    def _user(self) -> str:
        return self._console_settings.user if self._console_settings.user is not None else local_user()

    @property
    def _exports(self) -> ExportFolder:
        return ExportFolder(Path(self._console_settings.export_folder or ".").expanduser())

    def _line_session(self) -> Session:
        return LineSession(
            name=self.name,
            user=self._user,
            core=self.core,
            exports=self._exports,
            output=self._console_settings.output,
            stdin=self._streams.stdin.fileno(),
            stdout=self._streams.stdout.fileno(),
            stderr=self._streams.stderr,
        )

    def _terminal_session(self) -> Session:
        # Only a talk at the terminal pays for importing rich and prompt_toolkit.
        from adapters.console.terminal_session import TerminalSession  # noqa: PLC0415

        history = self._console_settings.history_file
        return TerminalSession(
            name=self.name,
            user=self._user,
            core=self.core,
            exports=self._exports,
            markdown=self._console_settings.markdown,
            history_file=Path(history).expanduser() if history else None,
        )
