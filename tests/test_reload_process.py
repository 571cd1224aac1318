"""The daemon as a process: the file is saved, or SIGHUP comes, while it runs."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from tests.support.hearthbot_process import Hearthbot

YAML = """
engine: {n_ctx: 512, max_parallel: 1, n_threads: 1, tune: off}
generation: {temperature: 0, max_tokens: 4}
personas:
  terse: {name: Terse, system_prompt: Be brief., welcome_message: First.}
"""


class Talk:
    """A daemon on standard input and output."""

    def __init__(self, hearthbot: Hearthbot) -> None:
        self.hearthbot = hearthbot
        self.process: subprocess.Popen[str] = hearthbot.start("chat", "--json")

    def say(self, text: str) -> str:
        """Send a line and return the reply."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{text}\n")
        self.process.stdin.flush()
        reply: dict[str, Any] = json.loads(self.process.stdout.readline())
        return str(reply["text"])

    def until(self, text: str, said: str) -> None:
        """Send a line until it is answered like that."""
        while said not in self.say(text):
            time.sleep(0.1)

    def until_logged(self, text: str, count: int) -> None:
        """Wait until the log has a text so many times."""
        while self.hearthbot.log_file.read_text().count(text) < count:
            time.sleep(0.05)


@pytest.fixture
def file(hearthbot: Hearthbot) -> Path:
    """The configuration."""
    return hearthbot.configure(YAML)


def test_what_is_saved_is_in_effect_and_what_is_wrong_is_not(hearthbot: Hearthbot, file: Path) -> None:
    """A save by replacing the file, a signal, a mistake, /reload and another model window, all in one life."""
    talk = Talk(hearthbot)
    assert talk.say("/start") == "First."

    other = file.with_suffix(".new")
    other.write_text(YAML.replace("First.", "Second."))
    other.replace(file)
    talk.until("/start", "Second.")

    file.write_text(YAML.replace("n_ctx", "n_ctxx"))
    talk.until_logged("engine.n_ctxx: unknown key; did you mean n_ctx?", 1)
    talk.process.send_signal(signal.SIGHUP)
    talk.until_logged("engine.n_ctxx: unknown key; did you mean n_ctx?", 2)
    assert talk.say("/start") == "Second."
    assert talk.say("/reload").startswith("Nothing was changed.\n")

    file.write_text(YAML.replace("First.", "Third.").replace("512", "768"))
    talk.until("/start", "Third.")
    assert "of 768 tokens" in talk.say("/status")
    assert talk.say("Hello!")

    file.write_text(YAML.replace("First.", "Third.") + "storage: {path: other.db}\n")
    assert "storage.path: cannot be changed while the daemon runs" in talk.say("/reload")
    printed, said = talk.process.communicate()
    assert printed == ""
    assert talk.process.returncode == 0, said


def test_a_signal_reloads_where_nothing_is_watched(hearthbot: Hearthbot) -> None:
    """There was no file and no folder at the start; SIGHUP finds the one that was written since."""
    talk = Talk(hearthbot)
    assert talk.say("/start").startswith("Hello!")
    hearthbot.configure(YAML)
    os.kill(talk.process.pid, signal.SIGHUP)
    talk.until("/start", "First.")
    talk.process.communicate()
    assert talk.process.returncode == 0
