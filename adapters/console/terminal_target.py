"""The answer to one message, as it appears on the terminal."""

from rich.console import Console
from rich.text import Text

from adapters.console.export_folder import ExportFolder
from adapters.console.live_reply import LiveReply, printable
from bot.adapter import ReplyLimits
from bot.messages import OutgoingMessage


class TerminalTarget:
    """Draws one growing message at a time; what is finished scrolls away and cannot be changed."""

    def __init__(self, console: Console, exports: ExportFolder, *, markdown: bool) -> None:
        self._console = console
        self._exports = exports
        self._reply = LiveReply(console, markdown=markdown)
        self._sent = 0
        self._growing: str | None = None

    @property
    def limits(self) -> ReplyLimits:
        """A terminal is redrawn as often as an eye can follow."""
        return ReplyLimits(edit_interval_s=0.08)

    async def send(self, message: OutgoingMessage) -> str:
        """Show a message below all others."""
        self._sent += 1
        message_id = str(self._sent)
        if self._growing is None or message.final:
            self._show(message_id, message)
        return message_id

    async def edit(self, message_id: str, message: OutgoingMessage) -> None:
        """Redraw the message that grows; a message that was shown before it is shown anew."""
        if message.final or self._growing in {None, message_id}:
            self._show(message_id, message)

    async def delete(self, message_id: str) -> None:
        """Take the message that grows off the screen; what is finished stays."""
        if self._growing == message_id:
            self._growing = None
            self._reply.clear()

    async def draft(self, message: OutgoingMessage) -> None:
        """Never asked for: a message is redrawn here."""

    async def typing(self) -> None:
        """Show that an answer is on its way."""
        if self._growing is None:
            self._reply.wait()

    async def send_file(self, name: str, data: bytes, caption: str) -> None:
        """Write the file and say where it is."""
        path = await self._exports.save(name, data)
        self._reply.clear()
        self._console.print(Text(f"{printable(caption)}: {path}" if caption else str(path)), soft_wrap=True)

    def close(self) -> None:
        """Take what is not finished off the screen."""
        self._reply.clear()

    def _show(self, message_id: str, message: OutgoingMessage) -> None:
        if not message.final:
            self._growing = message_id
            self._reply.update(message.text)
            return
        if self._growing == message_id or self._growing is None:
            self._growing = None
            if message.error is None:
                self._reply.finish(message.text)
                return
        self._reply.clear()
        self._console.print(Text(printable(message.text), style="red" if message.error else ""))
        self._console.print()
