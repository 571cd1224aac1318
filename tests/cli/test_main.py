import json
import subprocess
import sys
from pathlib import Path

import bot
from bot.messages import ConversationKey, ReplyFacts, Timings, Usage
from bot.storage.conversation_repository import ConversationRepository
from bot.storage.database import Database
from bot.storage.turn_repository import TurnRepository
from tests.support.hearthbot_process import Hearthbot

HEAVY = ("aiosqlite", "jinja2", "llama_cpp", "numpy", "prompt_toolkit", "pydantic", "yaml")


def test_the_version_is_the_package_s(hearthbot: Hearthbot) -> None:
    """`--version` prints one line and succeeds."""
    shown = hearthbot.run("--version")
    assert (shown.returncode, shown.stdout) == (0, f"hearthbot {bot.__version__}\n")


def test_help_imports_nothing_heavy() -> None:
    """The command line answers at once, because commands import what they need when they are called."""
    code = f"import sys, bot.cli; print(sorted(set({HEAVY!r}) & set(sys.modules)))"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout == "[]\n"


def test_every_command_is_in_the_help(hearthbot: Hearthbot) -> None:
    """What the program can do is found without a manual."""
    shown = hearthbot.run("--help")
    assert all(command in shown.stdout for command in ("run", "chat", "doctor", "fit", "config", "history"))


def test_a_daemon_that_nobody_can_reach_says_what_to_configure(hearthbot: Hearthbot) -> None:
    """Without a terminal and with the web switched off, `run` ends with the exit code of a configuration error."""
    hearthbot.configure("adapters: {web: {enabled: false}}")
    shown = hearthbot.run("run")
    assert shown.returncode == 2
    assert "no adapter is configured" in shown.stderr
    assert str(hearthbot.home) in shown.stderr
    assert shown.stdout == ""


def test_a_mistake_in_the_configuration_is_said_before_anything_is_loaded(hearthbot: Hearthbot) -> None:
    """The message names the file and the key, and nothing is created."""
    path = hearthbot.configure("engine:\n  n_ctz: 512\n")
    shown = hearthbot.run("chat", stdin="hi\n")
    assert shown.returncode == 2
    assert f"{path}:2" in shown.stderr
    assert "n_ctx" in shown.stderr
    assert shown.stdout == ""
    assert not hearthbot.database.exists()


def test_a_folder_that_cannot_be_made_is_named(hearthbot: Hearthbot) -> None:
    """A file in the way of the data folder ends the start with the exit code of the storage."""
    (hearthbot.home / "data").write_text("in the way")
    shown = hearthbot.run("chat", stdin="hi\n")
    assert shown.returncode == 4
    assert f"{hearthbot.home}/data" in shown.stderr
    assert "Traceback" not in shown.stderr


def test_a_model_that_is_not_there_has_its_own_exit_code(hearthbot: Hearthbot) -> None:
    """The path that was looked for is in the message."""
    hearthbot.configure("model:\n  path: /nowhere/model.gguf\n")
    shown = hearthbot.run("chat", stdin="hi\n")
    assert shown.returncode == 3
    assert "/nowhere" in shown.stderr
    assert shown.stdout == ""


def test_a_name_without_letters_is_refused(hearthbot: Hearthbot) -> None:
    """An empty `--user` would be nobody's conversation."""
    assert hearthbot.run("chat", "--user", " ").returncode == 2


def test_an_unexpected_failure_leaves_a_trace_in_the_log_and_a_line_on_the_terminal(hearthbot: Hearthbot) -> None:
    """The person reads where the details are, not the details."""
    code = "from bot.cli import daemon, main; daemon.chat = lambda *_, **__: 1 / 0; main.main()"
    shown = subprocess.run(
        [sys.executable, "-c", code, "chat"],
        capture_output=True,
        text=True,
        env=hearthbot.environment,
        cwd=hearthbot.home,
        check=False,
    )
    assert shown.returncode == 1
    place = f"the details are in {hearthbot.log_file}"
    assert shown.stderr == f"hearthbot failed unexpectedly (ZeroDivisionError); {place}\n"
    assert "Traceback" in hearthbot.log_file.read_text()


async def stored(path: Path) -> None:
    """Store a conversation of anna's with two turns, and an empty one of bert's."""
    database = await Database.open(path, busy_timeout_s=5.0)
    conversations, turns = ConversationRepository(database), TurnRepository(database)
    key = ConversationKey(adapter="console", chat="anna", thread="", user="anna")
    talk = await conversations.current(key, default_persona="hearth")
    facts = ReplyFacts(
        finish_reason="stop",
        usage=Usage(prompt_tokens=3, cached_tokens=0, completion_tokens=2),
        timings=Timings(queue_ms=0.0, prefill_ms=1.0, ttft_ms=1.0, decode_ms=1.0),
    )
    turn = await turns.begin(talk.id, message_id="1", sender_name="Anna", text="Hello?", persona="hearth")
    await turns.finish(turn.id, reply="Good evening!", reasoning="", facts=facts)
    turn = await turns.begin(talk.id, message_id="2", sender_name="Anna", text="And now?", persona="hearth")
    await turns.fail(turn.id, error_code="queue_full")
    await conversations.current(
        ConversationKey(adapter="telegram", chat="7", thread="", user="bert"), default_persona="hearth"
    )
    await database.aclose()


async def test_history_prints_what_was_said(hearthbot: Hearthbot) -> None:
    """Questions, answers and what became of a question without one."""
    await stored(hearthbot.database)
    shown = hearthbot.run("history", "--user", "anna")
    assert shown.returncode == 0
    assert "Anna: Hello?\n\nhearth: Good evening!\n" in shown.stdout
    assert "Anna: And now?\n\nhearth: (failed: queue_full)\n" in shown.stdout
    assert "bert" not in shown.stdout


async def test_history_for_programs_is_one_object_a_conversation(hearthbot: Hearthbot) -> None:
    """Every line is JSON with the whole conversation."""
    await stored(hearthbot.database)
    first, second = map(json.loads, hearthbot.run("history", "--json").stdout.splitlines())
    assert (first["user"], first["adapter"], second["user"]) == ("anna", "console", "bert")
    assert [turn["reply"] for turn in first["turns"]] == ["Good evening!", None]
    assert first["turns"][1]["error"] == "queue_full"
    only = hearthbot.run("history", "--json", "--conversation", str(second["id"])).stdout.splitlines()
    assert [json.loads(line)["id"] for line in only] == [second["id"]]


def test_history_of_a_new_installation_creates_nothing(hearthbot: Hearthbot) -> None:
    """Looking is no reason to make a database."""
    shown = hearthbot.run("history")
    assert (shown.returncode, shown.stdout) == (0, "")
    assert "nothing is stored yet" in shown.stderr
    assert not hearthbot.database.exists()
