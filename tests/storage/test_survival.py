"""Processes that are killed, and processes that share the file."""

import os
import random
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bot.messages import ConversationKey, ReplyFacts
from bot.storage.conversation_repository import ConversationRepository
from bot.storage.database import Database
from bot.storage.migrations import MIGRATIONS
from bot.storage.turn_repository import TurnRepository

OpenDatabase = Callable[..., Awaitable[Database]]
TALKER = Path(__file__).with_name("talker.py")
ROOT = Path(__file__).parents[2]
KILLS = 50


@contextmanager
def talking(path: Path, user: str) -> Iterator[subprocess.Popen[str]]:
    """A process that talks as `user` for the length of the block."""
    with subprocess.Popen(
        [sys.executable, str(TALKER), str(path), user],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def promises(process: subprocess.Popen[str], lines: int) -> list[str]:
    """The next lines that the process prints."""
    assert process.stdout is not None
    found = [process.stdout.readline().rstrip("\n") for _ in range(lines)]
    assert all(found), "the process ended by itself"
    return found


def rest(process: subprocess.Popen[str]) -> list[str]:
    """Kill the process and read what it had printed."""
    process.kill()
    assert process.stdout is not None
    return process.stdout.read().splitlines()


@pytest.mark.timeout(300)  # a new interpreter, fifty times
async def test_killed_process_loses_nothing(path: Path, open_database: OpenDatabase, facts: ReplyFacts) -> None:
    """Killed at fifty random moments: what was acknowledged is there, the file is sound, the conversation goes on."""
    chance = random.Random()  # noqa: S311 - moments, not secrets
    key = ConversationKey(adapter="console", chat="1", thread="", user="ada")
    begun: dict[int, str] = {}
    done: dict[int, str] = {}
    for _ in range(KILLS):
        with talking(path, "ada") as process:
            # From the opening of the file to the middle of a talk.
            lines = promises(process, 1 + chance.randrange(12))
            time.sleep(chance.uniform(0, 0.01))  # noqa: ASYNC251 - moves the kill within a statement; nothing waits
            lines += rest(process)
        for line in lines[1:]:
            event, number, text = line.split(" ")
            (begun if event == "begun" else done)[int(number)] = text

        database = await open_database()
        assert await database.integrity() == ()
        turns = TurnRepository(database)
        await turns.recover()
        conversation = await ConversationRepository(database).current(key, default_persona="hearth")
        stored = {turn.id: turn for turn in await turns.all(conversation.id)}
        assert {number: stored[number].text for number in begun} == begun
        assert {number: stored[number].reply for number in done} == {
            number: f"re: {text}" for number, text in done.items()
        }
        assert all(stored[number].status == "done" for number in done)
        assert {turn.status for turn in stored.values()} <= {"done", "interrupted"}

        turn = await turns.begin(conversation.id, message_id="", sender_name="", text="still there?", persona="hearth")
        await turns.finish(turn.id, reply="yes", reasoning="", facts=facts)
        assert [exchange.id for exchange in await turns.context(conversation)] == sorted(
            [number for number, exchange in stored.items() if exchange.status == "done"] + [turn.id]
        )
        await database.aclose()
    assert len(begun) > KILLS


async def test_killed_first_start_leaves_no_half_schema(tmp_path: Path, open_database: OpenDatabase) -> None:
    """A process killed while it creates the file leaves one that the next start makes good."""
    chance = random.Random()  # noqa: S311 - moments, not secrets
    for number in range(10):
        path = tmp_path / str(number) / "bot.db"
        with talking(path, "ada") as process:
            promises(process, 1)
            time.sleep(chance.uniform(0, 0.02))  # noqa: ASYNC251 - the moment of the kill; nothing waits
            rest(process)
        database = await open_database(path)
        assert await database.integrity() == ()
        assert (await database.fetch("PRAGMA user_version"))[0][0] == len(MIGRATIONS)
        await database.aclose()


async def test_processes_share_the_file(path: Path, open_database: OpenDatabase) -> None:
    """Two processes that write at full speed, and this one beside them, wait for each other and lose nothing."""
    database = await open_database(busy_timeout_s=30)
    conversations, turns = ConversationRepository(database), TurnRepository(database)
    with talking(path, "ada") as ada, talking(path, "bob") as bob:
        lines = {"ada": promises(ada, 20), "bob": promises(bob, 20)}
        here = await conversations.start_new(
            ConversationKey(adapter="console", chat="1", thread="", user="here"), persona="hearth"
        )
        for number in range(20):
            await turns.begin(here.id, message_id=str(number), sender_name="", text="hi", persona="hearth")
        lines["ada"] += promises(ada, 20) + rest(ada)
        lines["bob"] += promises(bob, 20) + rest(bob)
    assert len(await turns.all(here.id)) == 20
    for user, said in lines.items():
        (conversation,) = await conversations.of_user("console", user)
        stored = {turn.id for turn in await turns.all(conversation.id)}
        assert {int(line.split(" ")[1]) for line in said[1:]} <= stored
    assert await database.integrity() == ()


async def test_processes_that_create_the_file_together(path: Path, open_database: OpenDatabase) -> None:
    """Where several programs start for the first time at once, each finds or makes the schema and goes to work."""
    with talking(path, "ada") as ada, talking(path, "bob") as bob, talking(path, "cem") as cem:
        for process in (ada, bob, cem):
            promises(process, 4)
    database = await open_database()
    assert (await database.fetch("SELECT count(*) FROM conversations"))[0][0] == 3
