"""`hearthbot chat` as a whole, with the real small model."""

import json
import random
import signal
import sqlite3
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from tests.support.hearthbot_process import Hearthbot

SMALL = """
engine: {n_ctx: 512, max_parallel: 1, n_threads: 1, tune: off, shutdown_timeout: 60}
generation: {temperature: 0, max_tokens: 6}
personas:
  terse: {name: Terse, system_prompt: Be brief.}
persona: terse
"""
ENDLESS = SMALL.replace("max_tokens: 6", "max_tokens: 400, logit_bias: {2: -100}")
"""The end-of-turn token of the demo model is forbidden, so a reply goes on until it is stopped."""


@pytest.fixture
def hearthbot(hearthbot: Hearthbot) -> Hearthbot:
    """The program with short replies."""
    hearthbot.configure(SMALL)
    return hearthbot


def replies(output: str) -> list[dict[str, Any]]:
    """Return the objects of `--json`."""
    return [json.loads(line) for line in output.splitlines()]


def stored(hearthbot: Hearthbot) -> list[tuple[str, str | None, str]]:
    """Return what the database has: text, reply and status of each turn."""
    connection = sqlite3.connect(hearthbot.database)
    try:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return connection.execute("SELECT text, reply, status FROM turns ORDER BY id").fetchall()
    finally:
        connection.close()


def wait_for_turns(hearthbot: Hearthbot, count: int) -> None:
    """Return when so many messages are stored, as another process sees it."""
    while not hearthbot.database.exists() or _count(hearthbot) < count:
        time.sleep(0.01)


def _count(hearthbot: Hearthbot) -> int:
    try:
        return len(stored(hearthbot))
    except sqlite3.OperationalError:  # the tables are not made yet
        return 0


def test_a_conversation_is_remembered_after_kill_9(hearthbot: Hearthbot) -> None:
    """The second life's prompt holds what the first one said and was told; nothing but replies is on stdout."""
    first = hearthbot.start("chat", "--json", "--user", "anna")
    assert first.stdin is not None
    assert first.stdout is not None
    first.stdin.write("My name is Anna.\nHello!\n")
    first.stdin.flush()
    told = [json.loads(first.stdout.readline()) for _ in range(2)]
    first.kill()
    first.communicate()
    assert [reply["error"] for reply in told] == [None, None]
    second = hearthbot.run("chat", "--json", "--user", "anna", stdin="What is my name?\n")
    assert second.returncode == 0, second.stderr
    (reply,) = replies(second.stdout)
    spoken = sum(each["usage"]["completion_tokens"] for each in told)
    assert reply["usage"]["prompt_tokens"] > told[1]["usage"]["prompt_tokens"] + spoken // 2
    assert [text for text, _, _ in stored(hearthbot)] == ["My name is Anna.", "Hello!", "What is my name?"]


def test_users_do_not_see_each_other_s_conversation(hearthbot: Hearthbot) -> None:
    """`--user` picks whose conversation it is; the first message of each has a prompt of the same size."""
    sizes = []
    for user in ("anna", "bert"):
        shown = hearthbot.run("chat", "--json", "--user", user, stdin="Hello there!\n")
        sizes.append(replies(shown.stdout)[0]["usage"]["prompt_tokens"])
    assert sizes[0] == sizes[1]


def test_the_second_turn_evaluates_only_what_is_new(hearthbot: Hearthbot) -> None:
    """The JSON facts show the prefix found in the cache, and timings that fit each other."""
    first, second = replies(hearthbot.run("chat", "--json", stdin="Hello!\nHow are you?\n").stdout)
    assert second["usage"]["cached_tokens"] >= first["usage"]["prompt_tokens"]
    assert second["finish_reason"] in {"stop", "length"}
    timings = second["timings"]
    assert 0 <= timings["queue_ms"] <= timings["ttft_ms"]
    assert timings["prefill_ms"] <= timings["ttft_ms"]


def test_the_first_message_finds_its_persona_read(hearthbot: Hearthbot) -> None:
    """The default persona is evaluated when the program starts, so a fresh one reads the message alone."""
    prompt = "You are a keeper of a lighthouse. " + "You answer in few and friendly words. " * 10
    hearthbot.configure(SMALL.replace("Be brief.", prompt))
    (first,) = replies(hearthbot.run("chat", "--json", stdin="Hello!\n").stdout)
    assert first["usage"]["prompt_tokens"] > 80
    assert first["usage"]["prompt_tokens"] - first["usage"]["cached_tokens"] < 16


def test_a_message_that_can_never_fit_fails_alone(hearthbot: Hearthbot) -> None:
    """Its error has a code, the next message is answered, and the exit code tells that something failed."""
    shown = hearthbot.run("chat", "--json", stdin=f"{'long ' * 1000}\nHello!\n")
    failed, answered = replies(shown.stdout)
    assert failed["error"] == "context_length_exceeded"
    assert failed["finish_reason"] is None
    assert answered["error"] is None
    assert shown.returncode == 1
    assert "1 of 2 messages could not be answered" in shown.stderr


def test_plain_text_has_replies_on_stdout_and_nothing_else(hearthbot: Hearthbot) -> None:
    """A command's answer counts as a reply; what the start says is elsewhere."""
    shown = hearthbot.run("chat", "--user", "anna", stdin="/whoami\n")
    assert shown.stdout.startswith("You are anna.")
    assert len(shown.stdout.splitlines()) == 1
    assert shown.returncode == 0


def test_an_export_is_written_and_its_path_printed(hearthbot: Hearthbot) -> None:
    """Both files are in the data folder and hold what was said."""
    shown = hearthbot.run("chat", "--json", stdin="Hello!\n/export\n")
    _, export = replies(shown.stdout)
    files = [Path(name) for name in export["files"]]
    assert {file.suffix for file in files} == {".md", ".json"}
    assert all(file.parent == hearthbot.home / "data/hearthbot/exports" for file in files)
    assert all("Hello!" in file.read_text() for file in files)


def test_a_reader_that_leaves_ends_the_program_quietly(hearthbot: Hearthbot) -> None:
    """`hearthbot chat | head -1` prints one line and no error."""
    lines = "Hello!\n" * 4
    piped = subprocess.run(
        [
            "bash",
            "-c",
            f"set -o pipefail; printf '{lines}' | {' '.join(hearthbot.command('chat', '--json'))} | head -1",
        ],
        capture_output=True,
        text=True,
        env=hearthbot.environment,
        cwd=hearthbot.home,
        check=False,
    )
    assert len(replies(piped.stdout)) == 1
    assert piped.returncode == 0, piped.stderr
    assert "BrokenPipe" not in piped.stderr
    assert "Traceback" not in piped.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_the_reply_finish_and_leaves_what_follows(hearthbot: Hearthbot, number: signal.Signals) -> None:
    """The reply under way is printed whole, the line after it stays unread, and the stop is a success."""
    process = hearthbot.start("chat", "--json")
    assert process.stdin is not None
    process.stdin.write("Tell me about the sea.\nNever read.\n")
    process.stdin.flush()
    wait_for_turns(hearthbot, 1)
    process.send_signal(number)
    printed, said = process.communicate()
    assert process.returncode == 0, said
    (reply,) = replies(printed)
    assert reply["finish_reason"] in {"stop", "length"}
    assert stored(hearthbot) == [("Tell me about the sea.", reply["text"], "done")]


def test_a_reply_that_takes_too_long_is_cut_when_the_program_stops(hearthbot: Hearthbot) -> None:
    """After `shutdown_timeout` the process ends by itself, and the turn is settled in the database."""
    hearthbot.configure(ENDLESS.replace("shutdown_timeout: 60", "shutdown_timeout: 0.5"))
    process = hearthbot.start("chat", "--json")
    assert process.stdin is not None
    process.stdin.write("Tell me about the sea.\n")
    process.stdin.flush()
    wait_for_turns(hearthbot, 1)
    process.send_signal(signal.SIGTERM)
    printed, said = process.communicate()
    assert process.returncode == 0, said
    (reply,) = replies(printed)
    assert reply["finish_reason"] != "length"
    ((text, _, status),) = stored(hearthbot)
    assert text == "Tell me about the sea."
    assert status != "pending"


def test_a_second_signal_ends_the_program_at_once(hearthbot: Hearthbot) -> None:
    """Nobody waits for the reply, and the exit code names the signal."""
    hearthbot.configure(ENDLESS)
    process = hearthbot.start("chat", "--json")
    assert process.stdin is not None
    process.stdin.write("Tell me about the sea.\n")
    process.stdin.flush()
    wait_for_turns(hearthbot, 1)
    process.send_signal(signal.SIGTERM)
    while "stopping" not in hearthbot.log_file.read_text():
        time.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    process.communicate()
    assert process.returncode == 128 + signal.SIGTERM


def test_kill_9_at_any_moment_leaves_a_conversation_that_goes_on(hearthbot: Hearthbot) -> None:
    """Four lives, each killed in the middle of something: no message that was answered is lost, and the fifth talks."""
    chance = random.Random(7)  # noqa: S311 - repeatable, not secret
    answered = 0
    for life in range(4):
        process = hearthbot.start("chat", "--json", "--user", "anna")
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write("".join(f"message {life} {number}\n" for number in range(20)))
        process.stdin.flush()
        for _ in range(chance.randrange(3)):
            assert process.stdout.readline()
            answered += 1
        process.kill()
        process.communicate()
        assert sum(reply is not None for _, reply, _ in stored(hearthbot)) >= answered
    shown = hearthbot.run("chat", "--json", "--user", "anna", stdin="Are you still there?\n")
    assert shown.returncode == 0, shown.stderr
    assert replies(shown.stdout)[0]["error"] is None


LOSING = """
import runpy
from bot.engine.runner import Runner
from bot.errors import EngineLostError

decode, calls = Runner.decode, []

def failing(self, parts):
    calls.append(parts)
    if len(calls) > 20:
        raise EngineLostError("llama_decode returned -3")
    return decode(self, parts)

Runner.decode = failing
runpy.run_module("bot.cli", run_name="__main__", alter_sys=True)
"""
"""The program, with a context that breaks for good while a reply is written."""


def test_a_lost_engine_is_said_and_ends_the_process(hearthbot: Hearthbot, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waits gets plain words, the exit code asks for a restart, and afterwards the message can be retried."""
    hearthbot.configure(ENDLESS)
    losing = (*hearthbot.command()[:1], "-c", LOSING, "chat", "--json")
    monkeypatch.setattr(hearthbot, "command", lambda *_: losing)
    done = hearthbot.run(stdin="Hello\n")
    monkeypatch.undo()
    assert done.returncode == 5, done.stderr
    (reply,) = replies(done.stdout)
    assert reply["error"] == "engine_lost"
    assert "restarted" in reply["text"]
    assert "llama_decode" not in done.stdout
    hearthbot.configure(SMALL)
    again = hearthbot.run("chat", "--json", stdin="/retry\n")
    assert replies(again.stdout)[0]["finish_reason"] is not None
