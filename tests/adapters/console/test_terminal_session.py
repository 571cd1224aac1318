import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from prompt_toolkit.application import create_app_session
from prompt_toolkit.input import PipeInput, create_pipe_input
from prompt_toolkit.output import DummyOutput

from adapters.console.export_folder import ExportFolder
from adapters.console.terminal_session import TerminalSession
from bot.adapter import ReplyTarget
from bot.messages import IncomingMessage, OutgoingMessage
from tests.support.screen import Screen
from tests.support.scripted_core import FACTS, ScriptedCore

ENTER = "\r"
ALT_ENTER = "\x1b\r"
CTRL_C = "\x03"
CTRL_D = "\x04"


@pytest.fixture
def keyboard() -> Iterator[PipeInput]:
    """Keys that the test presses."""
    with create_pipe_input() as made, create_app_session(input=made, output=DummyOutput()):
        yield made


def session(core: ScriptedCore, keyboard: PipeInput, screen: Screen, folder: Path) -> TerminalSession:
    """Return a talk of anna's."""
    return TerminalSession(
        name="console",
        user="anna",
        core=core,
        exports=ExportFolder(folder / "exports"),
        markdown=True,
        history_file=folder / "typed",
        console=screen.console,
        terminal=keyboard,
    )


@pytest.fixture
def screen() -> Screen:
    """A terminal of the usual size."""
    return Screen(columns=80, rows=24)


async def test_a_talk_until_the_person_leaves(keyboard: PipeInput, screen: Screen, tmp_path: Path) -> None:
    """Each message typed is answered; Ctrl-D on an empty line ends the talk."""
    core = ScriptedCore()
    keyboard.send_text("hello" + ENTER + "good bye" + ENTER + CTRL_D)
    await session(core, keyboard, screen, tmp_path).run()
    assert [message.text for message in core.received] == ["hello", "good bye"]
    assert [line for line in screen.lines() if line] == ["hello", "good bye"]


@pytest.mark.parametrize("keys", ["one" + ALT_ENTER + "two" + ENTER, "one\\" + ENTER + "two" + ENTER])
async def test_a_message_may_have_several_lines(keys: str, keyboard: PipeInput, screen: Screen, tmp_path: Path) -> None:
    """Alt-Enter and a backslash at the end of a line begin a new one."""
    core = ScriptedCore()
    keyboard.send_text(keys + CTRL_D)
    await session(core, keyboard, screen, tmp_path).run()
    assert [message.text for message in core.received] == ["one\ntwo"]


async def test_ctrl_c_empties_the_line_and_then_says_how_to_leave(
    keyboard: PipeInput, screen: Screen, tmp_path: Path
) -> None:
    """It never ends the talk and sends nothing."""
    core = ScriptedCore()
    keyboard.send_text("never sent" + CTRL_C + CTRL_C + CTRL_D)
    await session(core, keyboard, screen, tmp_path).run()
    assert core.received == []
    assert [line for line in screen.lines() if line] == ["Ctrl-D leaves."]


async def test_ctrl_c_stops_a_reply_and_what_was_typed_meanwhile_is_kept(
    keyboard: PipeInput, screen: Screen, tmp_path: Path
) -> None:
    """The core is sent `/stop` once, shows what had been written, and the next prompt has the keys typed ahead."""
    stopped = asyncio.Event()

    async def long_reply(message: IncomingMessage, target: ReplyTarget) -> None:
        message_id = await target.send(OutgoingMessage(text="It begins", final=False))
        keyboard.send_text("next" + CTRL_C + CTRL_C)
        await stopped.wait()
        await target.edit(message_id, OutgoingMessage(text="It begins", facts=FACTS))

    async def stop(message: IncomingMessage, target: ReplyTarget) -> None:
        stopped.set()
        await target.send(OutgoingMessage(text="Stopped."))

    core = ScriptedCore(long_reply, stop)
    keyboard.send_text("tell me" + ENTER)
    running = asyncio.create_task(session(core, keyboard, screen, tmp_path).run())
    await stopped.wait()
    keyboard.send_text(ENTER + CTRL_D)
    await running
    assert [message.text for message in core.received] == ["tell me", "/stop", "next"]
    assert [line for line in screen.lines() if line] == ["It begins", "next"]


async def test_a_notice_that_is_sent_while_the_reply_grows_stands_above_it(
    keyboard: PipeInput, screen: Screen, tmp_path: Path
) -> None:
    """Two messages at once do not tear each other."""

    async def with_notice(message: IncomingMessage, target: ReplyTarget) -> None:
        await target.typing()
        message_id = await target.send(OutgoingMessage(text="Hel", final=False))
        await target.send(OutgoingMessage(text="A notice."))
        await target.edit(message_id, OutgoingMessage(text="Hello", final=False))
        await target.edit(message_id, OutgoingMessage(text="Hello!", facts=FACTS))

    keyboard.send_text("hi" + ENTER + CTRL_D)
    await session(ScriptedCore(with_notice), keyboard, screen, tmp_path).run()
    assert [line for line in screen.lines() if line] == ["A notice.", "Hello!"]


async def test_an_error_after_half_a_reply_is_shown(keyboard: PipeInput, screen: Screen, tmp_path: Path) -> None:
    """The person reads why it ended, not half a reply that looks whole."""

    async def fail(message: IncomingMessage, target: ReplyTarget) -> None:
        message_id = await target.send(OutgoingMessage(text="Once upon", final=False))
        await target.edit(message_id, OutgoingMessage(text="The model has stopped.", error="engine_lost"))

    keyboard.send_text("hi" + ENTER + CTRL_D)
    await session(ScriptedCore(fail), keyboard, screen, tmp_path).run()
    assert [line for line in screen.lines() if line] == ["The model has stopped."]


async def test_an_exported_file_is_named_with_its_path(keyboard: PipeInput, screen: Screen, tmp_path: Path) -> None:
    """The person can copy the path from the terminal, however long it is."""

    async def export(message: IncomingMessage, target: ReplyTarget) -> None:
        await target.send_file("talk.md", b"# Talk", "Your talk")

    keyboard.send_text("/export" + ENTER + CTRL_D)
    await session(ScriptedCore(export), keyboard, screen, tmp_path).run()
    path = tmp_path / "exports" / "talk.md"
    assert path.read_bytes() == b"# Talk"
    assert f"Your talk: {path}" in "".join(screen.lines())


async def test_typed_lines_are_remembered_by_the_next_talk(keyboard: PipeInput, screen: Screen, tmp_path: Path) -> None:
    """The arrow up key brings back what was typed before a restart; only the owner can read the file."""
    keyboard.send_text("remember me" + ENTER + CTRL_D)
    await session(ScriptedCore(), keyboard, screen, tmp_path).run()
    assert (tmp_path / "typed").stat().st_mode & 0o777 == 0o600
    core = ScriptedCore()
    talk = session(core, keyboard, screen, tmp_path)
    running = asyncio.create_task(talk.run())
    keyboard.send_text("\x1b[A" + ENTER + CTRL_D)
    await running
    assert [message.text for message in core.received] == ["remember me"]


async def test_a_history_that_cannot_be_written_disturbs_nobody(
    keyboard: PipeInput, screen: Screen, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The talk goes on, and the log names the file."""
    (tmp_path / "typed").mkdir()
    core = ScriptedCore()
    keyboard.send_text("hello" + ENTER + CTRL_D)
    await session(core, keyboard, screen, tmp_path).run()
    assert [message.text for message in core.received] == ["hello"]
    assert f"cannot write the console's history {tmp_path / 'typed'}" in caplog.text


async def test_draining_takes_the_prompt_away(keyboard: PipeInput, screen: Screen, tmp_path: Path) -> None:
    """A stop of the daemon ends a talk that waits for a key."""
    core = ScriptedCore()
    talk = session(core, keyboard, screen, tmp_path)
    keyboard.send_text("hello" + ENTER)
    running = asyncio.create_task(talk.run())
    await core.arrived.wait()
    talk.drain()
    await running
    assert len(core.received) == 1
