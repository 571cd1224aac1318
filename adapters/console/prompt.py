"""The line in which a person types."""

from collections.abc import Sequence
from pathlib import Path

from prompt_toolkit import PromptSession
from prompt_toolkit.history import History, InMemoryHistory
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.patch_stdout import patch_stdout
from rich.console import Console

from adapters.console.command_completer import CommandCompleter
from adapters.console.typed_lines import TypedLines
from bot.messages import CommandSpec

TOOLBAR = " Enter sends · Alt-Enter or final \\: new line · Ctrl-C stops · Ctrl-D leaves"
HOW_TO_LEAVE = "Ctrl-D leaves."


class _EmptyInterruptError(Exception):
    """Ctrl-C where nothing was typed."""


class Prompt:
    """Reads one message, of one line or several. Ctrl-C empties it and, when it is empty, says how to leave."""

    def __init__(self, *, console: Console, commands: Sequence[CommandSpec], history_file: Path | None) -> None:
        self._console = console
        history: History = TypedLines(history_file) if history_file is not None else InMemoryHistory()
        self._session: PromptSession[str] = PromptSession(
            "> ",
            multiline=True,
            prompt_continuation="  ",
            history=history,
            completer=CommandCompleter(commands),
            complete_while_typing=True,
            bottom_toolbar=TOOLBAR,
            key_bindings=self._bindings(),
            enable_suspend=True,
        )

    async def read(self) -> str | None:
        """Return what was typed, or None when the person leaves. Log lines appear above the prompt."""
        while True:
            with patch_stdout(raw=True):
                try:
                    # Signals and uncaught exceptions are the daemon's.
                    text = await self._session.prompt_async(handle_sigint=False, set_exception_handler=False)
                except EOFError:
                    return None
                except _EmptyInterruptError:
                    text = ""
                    self._console.print(HOW_TO_LEAVE, style="dim")
            if text.strip():
                return text

    def _bindings(self) -> KeyBindings:
        bindings = KeyBindings()

        @bindings.add("enter")
        def _(event: KeyPressEvent) -> None:
            buffer = event.current_buffer
            if buffer.document.text_before_cursor.endswith("\\"):
                buffer.delete_before_cursor()
                buffer.insert_text("\n")
            else:
                buffer.validate_and_handle()

        @bindings.add("escape", "enter")
        def _(event: KeyPressEvent) -> None:
            event.current_buffer.insert_text("\n")

        @bindings.add("c-c")
        def _(event: KeyPressEvent) -> None:
            if event.current_buffer.text:
                event.current_buffer.reset()
            else:
                event.app.exit(exception=_EmptyInterruptError())

        return bindings
