import io

from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from adapters.console.live_reply import LiveReply, growing_from, printable
from tests.support.screen import Screen

MARKDOWN = "# Title\n\nFirst *paragraph*.\n\n- one\n- two\n\n```python\nprint(1)\n\nprint(2)\n```\n\nThe end."


def test_finished_blocks_are_printed_once_and_only_the_last_grows() -> None:
    """The part that may still change begins at the last top-level block."""
    assert MARKDOWN[growing_from(MARKDOWN, markdown=True) :] == "The end."
    until_code = MARKDOWN[: MARKDOWN.index("print(2)")]
    assert until_code[growing_from(until_code, markdown=True) :].startswith("```python")
    assert growing_from("one\ntwo", markdown=False) == 4
    assert growing_from("", markdown=True) == 0


def test_a_reply_longer_than_the_screen_ends_up_whole_in_the_scrollback() -> None:
    """Streaming 200 paragraphs through 10 rows loses, repeats and reorders none of them."""
    screen = Screen(columns=40, rows=10)
    reply = LiveReply(screen.console, markdown=True)
    text = "\n\n".join(f"paragraph {number}" for number in range(200))
    for end in range(0, len(text), 37):
        reply.update(text[:end])
    reply.finish(text)
    shown = [line for line in screen.lines() if line]
    assert shown == [f"paragraph {number}" for number in range(200)]


def test_one_block_longer_than_the_screen_shows_its_end_while_it_grows() -> None:
    """A long code block is followed at its newest line, and printed whole when it is complete."""
    screen = Screen(columns=40, rows=10)
    reply = LiveReply(screen.console, markdown=True)
    code = "\n".join(f"line {number}" for number in range(50))
    reply.update(f"```\n{code}")
    growing = [line.strip() for line in screen.lines() if line.strip()]
    assert growing[-1] == "line 49"
    assert "line 0" not in growing
    reply.finish(f"```\n{code}\n```")
    assert [line.strip() for line in screen.lines() if line.strip()] == code.splitlines()


def test_a_text_that_was_replaced_is_shown_anew() -> None:
    """A notice that stood in the reply's place leaves no trace."""
    screen = Screen(columns=60, rows=10)
    reply = LiveReply(screen.console, markdown=True)
    reply.wait()
    reply.update("You are second in line.")
    reply.update("Hello")
    reply.finish("Hello there")
    assert [line for line in screen.lines() if line] == ["Hello there"]


def test_what_a_model_writes_cannot_steer_the_terminal() -> None:
    """Escape sequences lose the characters that make them work."""
    assert printable("a\x1b[2Jb\x9b31mc\r\nd\te\x07") == "a[2Jb31mc\nd\te"


@settings(max_examples=60, deadline=None)
@given(text=st.text(alphabet="ab #*`->\n1.|", max_size=80), cuts=st.lists(st.integers(0, 80), max_size=6))
def test_plain_text_reaches_the_terminal_unchanged_however_it_is_cut(text: str, cuts: list[int]) -> None:
    """Without Markdown, the lines on the screen are the lines of the reply."""
    file = io.StringIO()
    reply = LiveReply(Console(file=file, width=200, highlight=False), markdown=False)
    for cut in sorted(cuts):
        reply.update(text[:cut])
    reply.finish(text)
    assert file.getvalue().split() == text.split()


def test_blocks_are_one_empty_line_apart() -> None:
    """It looks the same whether a reply comes at once or grows."""
    at_once, grown = Screen(columns=40, rows=24), Screen(columns=40, rows=24)
    LiveReply(at_once.console, markdown=True).finish(MARKDOWN)
    reply = LiveReply(grown.console, markdown=True)
    for end in range(len(MARKDOWN)):
        reply.update(MARKDOWN[:end])
    reply.finish(MARKDOWN)
    rows = [line.strip() for line in grown.lines()]
    assert rows[: rows.index("The end.")] == [line.strip() for line in at_once.lines()][: rows.index("The end.")]
