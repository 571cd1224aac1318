"""The keyboard while a reply is being written."""

from collections.abc import Callable
from types import TracebackType
from typing import Self

from prompt_toolkit.input import Input
from prompt_toolkit.input.typeahead import store_typeahead
from prompt_toolkit.key_binding import KeyPress
from prompt_toolkit.keys import Keys


class ReplyKeys:
    """Calls `interrupt` at Ctrl-C and keeps everything else for the next prompt. The terminal must be in raw mode."""

    def __init__(self, terminal: Input, interrupt: Callable[[], None]) -> None:
        self._terminal = terminal
        self._interrupt = interrupt
        self._kept: list[KeyPress] = []
        self._attached = terminal.attach(self._read)

    def __enter__(self) -> Self:
        self._attached.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._attached.__exit__(kind, error, trace)
        store_typeahead(self._terminal, self._kept)

    def _read(self) -> None:
        for press in self._terminal.read_keys():
            if press.key == Keys.ControlC:
                self._interrupt()
            else:
                self._kept.append(press)
