import asyncio
import io
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest

from adapters.console.export_folder import ExportFolder
from adapters.console.line_session import LineSession
from bot.adapter import ReplyTarget
from bot.errors import PermanentAdapterError
from bot.messages import IncomingMessage, OutgoingMessage
from tests.support.scripted_core import FACTS, ScriptedCore


class Pipes:
    """Both ends of a talk through pipes."""

    def __init__(self) -> None:
        self.stdin, self.typed = os.pipe()
        self.read, self.stdout = os.pipe()
        self.stderr = io.StringIO()
        self._open = {self.stdin, self.typed, self.read, self.stdout}

    def write(self, data: bytes, *, end: bool = True) -> None:
        """Type something, and by default nothing more after it."""
        os.write(self.typed, data)
        if end:
            self.close(self.typed)

    def printed(self) -> str:
        """Return everything on standard output; nothing can be written there afterwards."""
        self.close(self.stdout)
        with open(self.read, "rb", closefd=False) as file:
            return file.read().decode()

    def close(self, descriptor: int) -> None:
        """Close one end."""
        self._open.discard(descriptor)
        os.close(descriptor)

    def close_all(self) -> None:
        """Close what is still open."""
        for descriptor in self._open:
            os.close(descriptor)


@pytest.fixture
def pipes() -> Iterator[Pipes]:
    """Pipes that are closed after the test."""
    made = Pipes()
    yield made
    made.close_all()


def session(core: ScriptedCore, pipes: Pipes, folder: Path, *, output: Literal["text", "json"] = "text") -> LineSession:
    """Return a talk of anna's."""
    return LineSession(
        name="console",
        user="anna",
        core=core,
        exports=ExportFolder(folder),
        output=output,
        stdin=pipes.stdin,
        stdout=pipes.stdout,
        stderr=pipes.stderr,
    )


async def test_every_line_is_a_message_and_replies_come_in_order(pipes: Pipes, tmp_path: Path) -> None:
    """Blank lines, Windows line ends and a last line without an end are read as a person means them."""
    pipes.write("one\r\n\n  \ntwo\nthrée".encode())
    core = ScriptedCore()
    await session(core, pipes, tmp_path).run()
    assert [message.text for message in core.received] == ["one", "two", "thrée"]
    assert pipes.printed() == "one\ntwo\nthrée\n"
    assert {(message.chat, message.user) for message in core.received} == {("anna", "anna")}
    assert len({message.message_id for message in core.received}) == 3


async def test_a_regular_file_is_read_to_its_end(pipes: Pipes, tmp_path: Path) -> None:
    """Standard input may be a file, which an event loop cannot watch."""
    (tmp_path / "in.txt").write_text("one\ntwo\n")
    core = ScriptedCore()
    with (tmp_path / "in.txt").open() as file:
        os.dup2(file.fileno(), pipes.stdin)
        await session(core, pipes, tmp_path).run()
    assert pipes.printed() == "one\ntwo\n"


async def test_bytes_that_are_not_utf8_do_not_end_the_talk(pipes: Pipes, tmp_path: Path) -> None:
    """A byte that cannot be decoded becomes a replacement character."""
    pipes.write(b"a\xffb\nc\n")
    core = ScriptedCore()
    await session(core, pipes, tmp_path).run()
    assert [message.text for message in core.received] == ["a\ufffdb", "c"]


async def test_json_has_the_same_keys_for_every_reply(pipes: Pipes, tmp_path: Path) -> None:
    """A model's reply carries its facts; a command's answer has them empty."""

    async def command(message: IncomingMessage, target: ReplyTarget) -> None:
        await target.send(OutgoingMessage(text="a new start"))

    pipes.write(b"hi\n/new\n")
    core = ScriptedCore()
    core.answers = [_streamed, command]
    await session(core, pipes, tmp_path, output="json").run()
    first, second = map(json.loads, pipes.printed().splitlines())
    assert first == {
        "text": "Hello!",
        "finish_reason": "stop",
        "usage": {"prompt_tokens": 20, "cached_tokens": 12, "completion_tokens": 3},
        "timings": {"queue_ms": 0.5, "prefill_ms": 10.0, "ttft_ms": 12.0, "decode_ms": 30.0},
        "error": None,
        "files": [],
    }
    assert second == {
        "text": "a new start",
        "finish_reason": None,
        "usage": None,
        "timings": None,
        "error": None,
        "files": [],
    }


async def test_a_failed_message_makes_the_whole_talk_fail_at_its_end(pipes: Pipes, tmp_path: Path) -> None:
    """The error stands in its reply's place, later lines are still answered, and the end says how many failed."""

    async def fail(message: IncomingMessage, target: ReplyTarget) -> None:
        await target.send(OutgoingMessage(text="too long", error="context_length_exceeded"))

    pipes.write(b"one\ntwo\n")
    with pytest.raises(PermanentAdapterError, match="1 of 2 messages"):
        await session(ScriptedCore(fail), pipes, tmp_path, output="json").run()
    first, second = map(json.loads, pipes.printed().splitlines())
    assert (first["error"], first["text"], first["finish_reason"]) == ("context_length_exceeded", "too long", None)
    assert (second["error"], second["text"]) == (None, "two")


async def test_notices_go_to_standard_error(pipes: Pipes, tmp_path: Path) -> None:
    """What the core says besides the reply never mixes with the replies."""

    async def with_notice(message: IncomingMessage, target: ReplyTarget) -> None:
        await target.send(OutgoingMessage(text="I have forgotten the oldest messages.", notice=True))
        await _streamed(message, target)

    pipes.write(b"hi\n")
    await session(ScriptedCore(with_notice), pipes, tmp_path).run()
    assert pipes.printed() == "Hello!\n"
    assert pipes.stderr.getvalue() == "I have forgotten the oldest messages.\n"


async def test_a_reader_that_left_ends_the_talk_quietly(pipes: Pipes, tmp_path: Path) -> None:
    """A broken pipe is no error, and no further line is answered."""
    pipes.close(pipes.read)
    pipes.write(b"one\ntwo\n")
    core = ScriptedCore()
    await session(core, pipes, tmp_path).run()
    assert len(core.received) == 1


async def test_draining_shows_the_reply_under_way_and_reads_no_more(pipes: Pipes, tmp_path: Path) -> None:
    """A stop does not lose what is being answered, and waits for no further line."""
    go_on = asyncio.Event()

    async def slow(message: IncomingMessage, target: ReplyTarget) -> None:
        await go_on.wait()
        await _streamed(message, target)

    pipes.write(b"one\ntwo\n", end=False)
    core = ScriptedCore(slow)
    talk = session(core, pipes, tmp_path)
    running = asyncio.create_task(talk.run())
    await core.arrived.wait()
    talk.drain()
    go_on.set()
    await running
    assert pipes.printed() == "Hello!\n"
    assert len(core.received) == 1


async def test_draining_ends_a_talk_that_waits_for_a_line(pipes: Pipes, tmp_path: Path) -> None:
    """An open but silent standard input does not keep the daemon from stopping."""
    core = ScriptedCore()
    talk = session(core, pipes, tmp_path)
    pipes.write(b"one\n", end=False)
    running = asyncio.create_task(talk.run())
    await core.arrived.wait()
    talk.drain()
    await running
    assert len(core.received) == 1


async def test_files_are_written_and_never_overwritten(pipes: Pipes, tmp_path: Path) -> None:
    """Exports of the same name get numbers, are readable by their owner only, and stay inside the folder."""

    async def export(message: IncomingMessage, target: ReplyTarget) -> None:
        await target.send_file("../talk.md", message.text.encode(), "Your talk")

    folder = tmp_path / "exports"
    pipes.write(b"one\ntwo\n")
    await session(ScriptedCore(export, export), pipes, folder).run()
    assert pipes.printed() == f"{folder}/talk.md\n{folder}/talk-2.md\n"
    assert pipes.stderr.getvalue() == "Your talk\nYour talk\n"
    assert (folder / "talk.md").read_text() == "one"
    assert (folder / "talk-2.md").read_text() == "two"
    assert (folder / "talk.md").stat().st_mode & 0o777 == 0o600


async def test_a_reply_larger_than_a_pipe_arrives_whole(pipes: Pipes, tmp_path: Path) -> None:
    """Writing waits for a slow reader without stopping the event loop."""
    large = "x" * 300_000

    async def answer(message: IncomingMessage, target: ReplyTarget) -> None:
        await target.send(OutgoingMessage(text=large))

    pipes.write(b"one\n")
    running = asyncio.create_task(session(ScriptedCore(answer), pipes, tmp_path).run())
    read = bytearray()
    while len(read) <= len(large):
        read += await asyncio.to_thread(os.read, pipes.read, 65536)
    await running
    assert read.decode() == large + "\n"


async def _streamed(message: IncomingMessage, target: ReplyTarget) -> None:
    await target.typing()
    message_id = await target.send(OutgoingMessage(text="Hel", final=False))
    await target.edit(message_id, OutgoingMessage(text="Hello", final=False))
    await target.edit(message_id, OutgoingMessage(text="Hello!", facts=FACTS))
