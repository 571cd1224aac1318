"""A terminal without a window: what a person would see."""

import io
from collections.abc import Callable

import pyte
from rich.console import Console


class Screen:
    """Interprets what a program writes, with its scrollback."""

    def __init__(self, *, columns: int, rows: int, answer: Callable[[str], object] = lambda _: None) -> None:
        """`answer` gets what the terminal itself says, such as where its cursor is when a program asks."""
        self._screen = pyte.HistoryScreen(columns, rows, history=100_000, ratio=0.5)
        self._screen.write_process_input = answer
        self._stream = pyte.Stream(self._screen)
        self._file = _Fed(self)
        self.console = Console(
            file=self._file, width=columns, height=rows, force_terminal=True, highlight=False, color_system=None
        )

    def feed(self, text: str) -> None:
        """Interpret what a program wrote; a terminal driver turns each line feed into a new line."""
        self._stream.feed(text.replace("\r\n", "\n").replace("\n", "\r\n"))

    def lines(self) -> list[str]:
        """Return every line from the first that scrolled away to the last on the screen, without spaces at its end."""
        columns = range(self._screen.columns)
        scrolled = ["".join(row[column].data for column in columns) for row in self._screen.history.top]
        return [line.rstrip() for line in (*scrolled, *self._screen.display)]


class _Fed(io.StringIO):
    """A file whose text goes to a screen."""

    def __init__(self, screen: Screen) -> None:
        super().__init__()
        self._to = screen

    def write(self, text: str) -> int:
        self._to.feed(text)
        return len(text)
