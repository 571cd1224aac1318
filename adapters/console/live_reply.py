"""A reply that grows on the terminal."""

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.live import Live
from rich.markdown import Markdown
from rich.segment import Segment
from rich.text import Text

ROWS_KEPT_FREE = 3
"""Rows of the terminal that the growing part leaves empty, so that redrawing it never scrolls."""

_UNSAFE = {code: None for code in (*range(0x20), 0x7F, *range(0x80, 0xA0)) if chr(code) not in "\n\t"}


def printable(text: str) -> str:
    """Remove control characters: what a model writes must not steer the terminal."""
    return text.translate(_UNSAFE)


def growing_from(text: str, *, markdown: bool) -> int:
    """Return where the part begins that more text may still change: the last Markdown block, or the last line."""
    if not markdown:
        return text.rfind("\n") + 1
    starts = [token.map[0] for token in Markdown(text).parsed if token.level == 0 and token.map is not None]
    if not starts:
        return 0
    lines = text.splitlines(keepends=True)
    return sum(len(line) for line in lines[: starts[-1]])


class LiveReply:
    """Prints finished blocks once, for good, and draws again only the last one while it grows.

    So a reply may be longer than the screen, and the scrollback has it whole.
    """

    def __init__(self, console: Console, *, markdown: bool) -> None:
        self._console = console
        self._markdown = markdown
        self._printed = ""
        self._live: Live | None = None

    def wait(self) -> None:
        """Show that something is coming, while there is no text."""
        if self._live is None:
            self._draw(Text("…", style="dim"))

    def update(self, text: str) -> None:
        """Show the text so far."""
        text = printable(text)
        if not text.startswith(self._printed):
            self._printed = ""  # it was replaced, not continued: what is on the screen stays, the new text follows
        rest = text[len(self._printed) :]
        cut = growing_from(rest, markdown=self._markdown)
        self._print(rest[:cut])
        self._printed += rest[:cut]
        self._draw(_Rows(self._renderable(rest[cut:]), most=max(1, self._console.size.height - ROWS_KEPT_FREE)))

    def finish(self, text: str) -> None:
        """Show the complete text; nothing is drawn again after that."""
        text = printable(text)
        self.clear()
        if not text.startswith(self._printed):
            self._printed = ""
        self._print(text[len(self._printed) :])
        self._printed = ""

    def clear(self) -> None:
        """Take the growing part off the screen."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _print(self, block: str) -> None:
        block = block.strip("\n") if self._markdown else block.removesuffix("\n")
        if block:
            self._console.print(_Rows(self._renderable(block)))
            if self._markdown:
                self._console.print()

    def _renderable(self, block: str) -> RenderableType:
        return Markdown(block) if self._markdown else Text(block)

    def _draw(self, renderable: RenderableType) -> None:
        if self._live is None:
            self._live = Live(
                renderable, console=self._console, auto_refresh=False, transient=True, vertical_overflow="visible"
            )
            self._live.start(refresh=True)
        else:
            self._live.update(renderable, refresh=True)


class _Rows:
    """Something as rows: without the empty ones that rich puts around some blocks, and at most the last `most`."""

    def __init__(self, renderable: RenderableType, *, most: int | None = None) -> None:
        self._renderable = renderable
        self._most = most

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        rows = console.render_lines(self._renderable, options.update(height=None), pad=False)
        while rows and not any(segment.text for segment in rows[0]):
            rows.pop(0)
        while rows and not any(segment.text for segment in rows[-1]):
            rows.pop()
        for row in rows[-self._most :] if self._most else rows:
            yield from row
            yield Segment.line()
