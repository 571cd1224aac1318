"""/history, /export and /forget."""

import asyncio
import json

from tests.support.chat_bench import ChatBench
from tests.support.recording_target import RecordingTarget


async def test_history_lists_the_latest_turns(bench: ChatBench) -> None:
    """Long texts are shortened to a line, and what was not answered says so."""
    assert "empty" in (await bench.say("/history")).reply
    for number in range(12):
        await bench.say(f"message {number}\n" + "x" * 200)
    lines = (await bench.say("/history")).reply.splitlines()
    assert lines[0] == "The last 10 of 12 messages:"
    assert len(lines) == 21
    assert "you: message 2 xxx" in lines[1]
    assert lines[1].endswith("…")
    assert lines[2].startswith("  Hearth: re: message 2")


async def test_history_shows_what_is_being_answered_and_what_was_not(bench: ChatBench) -> None:
    """It does not wait for the reply."""
    bench.engine.enqueue("")
    await bench.say("a")
    reply = bench.engine.enqueue("x", held=True)
    task, _ = bench.start("b")
    await reply.written.wait()
    history = (await bench.say("/history")).reply
    assert "(not answered; /retry" in history
    assert "(being answered)" in history
    reply.release()
    await task


async def test_export_sends_markdown_and_json(bench: ChatBench) -> None:
    """Both have every word; the JSON also has the figures."""
    assert "nothing to export" in (await bench.say("/export")).reply
    await bench.say("Hi „there“\n\nline two", sender_name="Ann")
    bench.engine.enqueue("")
    await bench.say("b")
    target = await bench.say("/export")
    markdown, document = (target.files[name].decode() for name in ("conversation-1.md", "conversation-1.json"))
    assert "## Ann, " in markdown
    assert "Hi „there“\n\nline two" in markdown
    assert "re: Hi „there“" in markdown
    assert "*(failed)*" in markdown
    turns = json.loads(document)["turns"]
    assert [turn["text"] for turn in turns] == ["Hi „there“\n\nline two", "b"]
    assert turns[0]["finish_reason"] == "stop"
    assert turns[0]["usage"] == {"prompt_tokens": 11, "cached_tokens": 0, "completion_tokens": 5}
    assert turns[1]["reply"] is turns[1]["usage"] is None
    assert "2 messages" in target.reply


async def test_export_says_when_the_platform_takes_no_files(bench: ChatBench) -> None:
    """A file that did not arrive is not claimed to be there."""
    await bench.say("a")
    target = RecordingTarget()
    target.broken = {"send_file"}
    bench.clock.hurried = True
    await bench.service.handle(bench.message("/export"), target)
    assert target.reply.startswith("I could not send")


async def test_forget_deletes_a_person_down_to_the_bytes(bench: ChatBench) -> None:
    """After the confirmation no file of the database has the text, in any chat; others keep theirs."""
    for chat in ("home", "work"):
        await bench.say("SECRET-OF-ANN", chat=chat)
    await bench.say("WORDS-OF-BOB", user="bob")
    assert "/forget confirm" in (await bench.say("/forget")).reply
    assert len(await bench.conversations.of_user("test", "ann")) == 2
    assert "2 conversations," in (await bench.say("/forget confirm")).reply
    assert await bench.conversations.of_user("test", "ann") == []
    assert bench.engine.forgotten == ["test:ann", "summary of test:ann"]
    files = b"".join(file.read_bytes() for file in bench.path.parent.iterdir())
    assert b"SECRET-OF-ANN" not in files
    assert b"WORDS-OF-BOB" in files
    await bench.say("hello")
    assert bench.engine.prompts[-1] == ["Be kind.", "hello"]


async def test_forget_needs_a_question_before_the_confirmation(bench: ChatBench) -> None:
    """Nothing is deleted by one message, by somebody else's question, by an old one, or twice by one."""
    await bench.say("a")
    assert "Send /forget first" in (await bench.say("/forget confirm")).reply
    await bench.say("/forget", user="bob")
    assert "Send /forget first" in (await bench.say("/forget confirm")).reply
    await bench.say("/forget")
    bench.clock.advance(121)
    assert "Send /forget first" in (await bench.say("/forget confirm")).reply
    assert "/forget confirm" in (await bench.say("/forget everything")).reply
    assert len(await bench.stored()) == 1
    await bench.say("/forget")
    bench.clock.advance(119)
    await bench.say("/forget confirm")
    assert await bench.stored() == []
    assert "Send /forget first" in (await bench.say("/forget confirm")).reply


async def test_forget_stops_what_is_being_written_for_the_person(bench: ChatBench) -> None:
    """Replies in all chats end first, what waits is answered in a new conversation, and others are not disturbed."""
    home = bench.engine.enqueue("SECRET home", held=True)
    first, _ = bench.start("a", chat="home")
    await home.written.wait()
    work = bench.engine.enqueue("SECRET work", held=True)
    second, _ = bench.start("b", chat="work")
    await work.written.wait()
    bobs = bench.engine.enqueue("bob", held=True)
    third, answer = bench.start("c", user="bob")
    await bobs.written.wait()
    waiting, late = bench.start("d", chat="home")
    await bench.say("/forget")
    assert "2 conversations," in (await bench.say("/forget confirm")).reply
    await asyncio.gather(first, second, waiting)
    assert not bobs.cancelled.is_set()
    bobs.release()
    await third
    assert answer.reply == "bob"
    assert late.reply == "re: d"
    assert bench.engine.prompts[-1] == ["Be kind.", "d"]
    assert b"SECRET" not in b"".join(file.read_bytes() for file in bench.path.parent.iterdir())
    assert len(bench.lines) == 0
