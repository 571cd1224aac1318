"""The process is killed in the middle of a delivery."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.hearthbot_process import REPOSITORY
from tests.support.mortal_chat import MESSAGES, reply_to


def _live(folder: Path, *doing: str) -> int:
    command = (sys.executable, "-m", "tests.support.mortal_chat", str(folder / "chat.db"), str(folder / "platform"))
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    return subprocess.run([*command, *doing], cwd=REPOSITORY, env=environment, check=False).returncode


def _shown(folder: Path) -> tuple[list[str], list[str]]:
    """Messages and notices as they stand in the end."""
    standing: dict[str, tuple[str, bool]] = {}
    for line in (folder / "platform").read_text().splitlines():
        call = json.loads(line)
        if call["op"] == "delete":
            del standing[call["id"]]
        else:
            standing[call["id"]] = (call["text"], call["notice"])
    texts = [text for text, notice in standing.values() if not notice]
    return texts, [text for text, notice in standing.values() if notice]


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("call", [1, 2, 3, 5])
def test_kill_9_loses_no_answer_and_marks_what_may_be_twice(tmp_path: Path, call: int, moment: str) -> None:
    """Whatever call it dies at, both answers are complete and in order; a part is there once, or its doubt is told."""
    (tmp_path / "platform").touch()
    assert _live(tmp_path, "serve", str(call), moment) == -signal.SIGKILL
    assert _live(tmp_path, "resume") == 0
    texts, notices = _shown(tmp_path)
    wanted = [part for text in MESSAGES for part in reply_to(text).split("\n\n")]
    # A copy is of the part that was on its way, at most one.
    assert list(dict.fromkeys(texts)) == wanted
    assert len(texts) - len(wanted) <= 1
    if len(texts) > len(wanted):
        assert any("twice" in notice for notice in notices)
    before = len((tmp_path / "platform").read_text())
    assert _live(tmp_path, "resume") == 0
    assert len((tmp_path / "platform").read_text()) == before
