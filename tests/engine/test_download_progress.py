"""How downloads are shown."""

import io

import pytest
from rich.console import Console

from bot.engine.download_progress import BarProgress, LineProgress, progress_on, readable_size


def test_lines() -> None:
    """Without a terminal there is a line at the start and one for every tenth, however small the steps."""
    lines: list[str] = []
    progress = LineProgress(lines.append)
    progress.begin("m.gguf", 1000, 350)
    for _ in range(65):
        progress.advance(10)
    progress.end()
    assert lines[0] == "downloading m.gguf: 1000 bytes, 350 bytes of it already here"
    assert lines[1:] == [f"downloading m.gguf: {tenth}0% of 1000 bytes" for tenth in range(4, 11)]


def test_bar() -> None:
    """On a terminal there is a bar, drawn anew for each file."""
    screen = io.StringIO()
    progress = progress_on(Console(file=screen, force_terminal=True, width=100), lambda line: None)
    assert isinstance(progress, BarProgress)
    for name in ("a.gguf", "b.gguf"):
        progress.begin(name, 2048, 0)
        progress.advance(2048)
        progress.end()
    assert "a.gguf" in screen.getvalue()
    assert "b.gguf" in screen.getvalue()
    assert "100%" in screen.getvalue()


def test_choice() -> None:
    """What is not a terminal gets lines."""
    assert isinstance(progress_on(Console(file=io.StringIO()), print), LineProgress)


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 bytes"), (1023, "1023 bytes"), (1536, "1.5 KiB"), (5 << 30, "5.0 GiB"), (3 << 40, "3.0 TiB")],
)
def test_sizes(size: int, text: str) -> None:
    """Sizes are written in binary units."""
    assert readable_size(size) == text
