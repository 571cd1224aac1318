"""The console on a real pseudo-terminal, in a real process, with the real small model."""

import re
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pexpect
import pytest

from tests.support.hearthbot_process import Hearthbot
from tests.support.screen import Screen

ENDLESS = """
adapters: {web: {enabled: false}}
engine: {n_ctx: 1024, max_parallel: 1, n_threads: 1, tune: off, shutdown_timeout: 0.5}
generation: {temperature: 0, max_tokens: 900, logit_bias: {2: -100}}
"""
"""The end-of-turn token of the demo model is forbidden, so a reply goes on until it is stopped."""
SHORT = """
adapters: {web: {enabled: false}}
engine: {n_ctx: 512, max_parallel: 1, n_threads: 1, tune: off}
generation: {temperature: 0, max_tokens: 8}
"""


COLUMNS, ROWS = 80, 24
PROMPT = re.compile(r"^>\n+ Enter sends .*\n*\Z", re.MULTILINE)


@pytest.fixture
def hearthbot(hearthbot: Hearthbot) -> Hearthbot:
    """The program with short replies."""
    hearthbot.configure(SHORT)
    return hearthbot


class Terminal:
    """A person's terminal with the program in it."""

    def __init__(self, hearthbot: Hearthbot, command: str) -> None:
        program, *arguments = hearthbot.command(command)
        self.process = pexpect.spawn(
            program,
            arguments,
            env={**hearthbot.environment, "TERM": "xterm"},
            cwd=str(hearthbot.home),
            encoding="utf-8",
            dimensions=(ROWS, COLUMNS),
        )
        self.screen = Screen(columns=COLUMNS, rows=ROWS, answer=self.process.send)

    def type(self, text: str) -> None:
        """Press keys."""
        self.process.send(text)

    def wait_for(self, text: str) -> None:
        """Return when a person can read this, on the screen or above it."""
        while text not in self.text():
            self.screen.feed(self.process.read_nonblocking(4096, timeout=60))

    def wait_for_prompt(self) -> None:
        """Return when the last lines are an empty prompt and its toolbar."""
        while not PROMPT.search(self.text()):
            self.screen.feed(self.process.read_nonblocking(4096, timeout=60))

    def text(self) -> str:
        """Return everything from the first line to the last."""
        return "\n".join(self.screen.lines())

    def ended(self) -> int | None:
        """Wait for the end and return the exit code."""
        with suppress(pexpect.EOF):
            while True:
                self.screen.feed(self.process.read_nonblocking(4096, timeout=60))
        self.process.wait()
        code: int | None = self.process.exitstatus
        return code


@pytest.fixture
def terminals() -> Iterator[list[Terminal]]:
    """Terminals that are closed after the test."""
    opened: list[Terminal] = []
    yield opened
    for terminal in opened:
        terminal.process.close(force=True)


@pytest.mark.parametrize("command", ["chat", "run"])
def test_a_talk_on_a_terminal(hearthbot: Hearthbot, terminals: list[Terminal], command: str) -> None:
    """One line says who it is and how to leave; a reply comes; Ctrl-D leaves with success and a tidy terminal."""
    terminal = Terminal(hearthbot, command)
    terminals.append(terminal)
    terminal.wait_for_prompt()
    terminal.type("/whoami\r")
    terminal.wait_for("Your id is console")
    terminal.wait_for_prompt()
    terminal.type("Hello!\r")
    terminal.wait_for_prompt()
    terminal.type("\x04")
    assert terminal.ended() == 0
    lines = [line for line in terminal.screen.lines() if line]
    assert any(re.fullmatch(r"SmolLM2.* · Hearth · Ctrl-D leaves, .*", line) for line in lines[:3])
    assert lines[-1] == ">"


def test_log_lines_stand_on_lines_of_their_own(hearthbot: Hearthbot, terminals: list[Terminal]) -> None:
    """A warning in the middle of a talk neither tears the prompt nor the reply, and the rest stays in the file."""
    (hearthbot.home / "state/hearthbot/console_history").mkdir(parents=True)
    terminal = Terminal(hearthbot, "chat")
    terminals.append(terminal)
    terminal.wait_for_prompt()
    terminal.type("/whoami\r")
    terminal.wait_for("Your id is console")
    terminal.wait_for_prompt()
    terminal.type("\x04")
    assert terminal.ended() == 0
    lines = terminal.screen.lines()
    assert any(line.startswith("warning: cannot write the console's history") for line in lines)
    assert "> /whoami" in lines
    assert not any("is up" in line for line in lines)
    assert "console is up" in hearthbot.log_file.read_text()


def test_ctrl_c_stops_the_reply_and_not_the_program(hearthbot: Hearthbot, terminals: list[Terminal]) -> None:
    """The prompt comes back below what was written so far, and the next message is answered."""
    hearthbot.configure(ENDLESS)
    terminal = Terminal(hearthbot, "chat")
    terminals.append(terminal)
    terminal.wait_for_prompt()
    terminal.type("Tell me a story about the sea\r")
    terminal.wait_for("…")
    terminal.type("\x03")
    terminal.wait_for_prompt()
    terminal.type("/whoami\r")
    terminal.wait_for("Your id is console")
    terminal.wait_for_prompt()
    terminal.type("\x04")
    assert terminal.ended() == 0


def test_sigterm_while_a_reply_is_written_gives_the_terminal_back(
    hearthbot: Hearthbot, terminals: list[Terminal]
) -> None:
    """The process ends by itself, and what is typed afterwards is echoed again."""
    hearthbot.configure(ENDLESS)
    terminal = Terminal(hearthbot, "chat")
    terminals.append(terminal)
    assert terminal.process.getecho()
    terminal.wait_for_prompt()
    assert not terminal.process.getecho()
    terminal.type("Tell me a story about the sea\r")
    terminal.wait_for("…")
    terminal.process.kill(signal.SIGTERM)
    assert terminal.ended() == 0


def test_ctrl_c_while_the_model_loads_ends_quietly(tmp_path: Path, terminals: list[Terminal]) -> None:
    """The exit code is that of an interrupted program, and nobody sees a trace."""
    terminal = Terminal(Hearthbot(tmp_path), "chat")
    terminals.append(terminal)
    terminal.wait_for("Trying this model")
    terminal.type("\x03")
    assert terminal.ended() == 130
    assert "Traceback" not in terminal.text()
