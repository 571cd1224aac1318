"""A talk without a terminal: one message a line in, the replies in order out."""

import json
from typing import Literal, TextIO

from adapters.console.descriptor import write
from adapters.console.export_folder import ExportFolder
from adapters.console.intake import Intake
from adapters.console.line_reader import LineReader
from adapters.console.line_target import LineTarget
from adapters.console.session import console_message
from bot.adapter import ChatCore
from bot.errors import PermanentAdapterError


class LineSession:
    """Reads lines, writes replies, and nothing else to `stdout`; notices go to `stderr`."""

    def __init__(
        self,
        *,
        name: str,
        user: str,
        core: ChatCore,
        exports: ExportFolder,
        output: Literal["text", "json"],
        stdin: int,
        stdout: int,
        stderr: TextIO,
    ) -> None:
        """`stdin` and `stdout` are file descriptors."""
        self._name = name
        self._user = user
        self._core = core
        self._exports = exports
        self._output = output
        self._intake = Intake(LineReader(stdin).read)
        self._stdout = stdout
        self._stderr = stderr

    async def run(self) -> None:
        """Answer every line. Raises `PermanentAdapterError` at the end when a message could not be answered.

        Ends quietly when nobody reads the replies any more.
        """
        answered = failed = 0
        while (line := await self._intake.next()) is not None:
            target = LineTarget(self._exports)
            await self._core.handle(console_message(adapter=self._name, user=self._user, text=line), target)
            answered += 1
            failed += target.failed
            try:
                await self._write(target)
            except BrokenPipeError:
                return
        if failed:
            raise PermanentAdapterError(f"{failed} of {answered} messages could not be answered")

    def drain(self) -> None:
        """Read no more lines."""
        self._intake.close()

    async def _write(self, target: LineTarget) -> None:
        for notice in target.notices:
            self._stderr.write(notice + "\n")
        self._stderr.flush()
        as_json = self._output == "json"
        text = json.dumps(target.as_object(), ensure_ascii=False) if as_json else target.as_text()
        await write(self._stdout, (text + "\n").encode("utf-8", errors="replace"))
