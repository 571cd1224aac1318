"""The process dies, and the next one owes what it owed."""

import os
import random
import signal

import pytest

from tests.support.bot_api import FakeChat
from tests.support.faulty_daemon import FaultyDaemon

KILLS = int(os.environ.get("HEARTHBOT_KILLS", "3"))
CHATS = 4
MOST_CALLS = 3 * CHATS - 2
"""Each reply is at the least a sign of typing, a message and an edit, so that so many calls are sure to come."""


def _replies(daemon: FaultyDaemon, chat: FakeChat) -> list[str]:
    rows = daemon.query(
        "SELECT turns.reply FROM turns JOIN conversations ON conversations.id = conversation_id "
        "WHERE chat = ? AND status = 'done' ORDER BY turns.id",
        str(chat.id),
    )
    return [" ".join(reply.split()) for (reply,) in rows]


def check(daemon: FaultyDaemon, chat: FakeChat, asked: int) -> None:
    """Every message has its reply, it stands in the chat, and more than once only where that is said."""
    replies = _replies(daemon, chat)
    shown = [" ".join(text.split()) for text in daemon.server.texts(chat)]
    assert len(replies) == asked, (replies, shown)
    for reply in replies:
        assert reply in shown, (reply, shown)
    if not any("twice" in text for text in shown):
        beginnings = tuple(reply[:12] for reply in replies)
        assert len([text for text in shown if text.startswith(beginnings)]) == asked, (replies, shown)


@pytest.mark.timeout(120 + 60 * KILLS)
async def test_kill_9_under_load_loses_no_reply(daemon: FaultyDaemon) -> None:
    """Killed at random moments while four people are answered, again and again; then everybody has every reply."""
    chance = random.Random()  # noqa: S311 - moments, not secrets
    chats = [daemon.ann, *(daemon.server.private_chat(name) for name in ("Ben", "Cleo", "Dora"))]
    for number in range(KILLS):
        async with daemon.living() as process:
            for chat in chats:
                chat.say(f"Tell me about the number {number}.")
            moment = len(daemon.server.calls) + chance.randint(1, MOST_CALLS)
            await daemon.server.until(lambda moment=moment: len(daemon.server.calls) >= moment)
            process.send_signal(signal.SIGKILL)
    async with daemon.living():
        await daemon.server.until(lambda: not daemon.server.updates.pending)
        await daemon.until_settled()
    for chat in chats:
        check(daemon, chat, KILLS)
    assert daemon.query("PRAGMA integrity_check") == [("ok",)]


async def test_a_native_crash_is_no_loss(daemon: FaultyDaemon) -> None:
    """SIGSEGV while a reply is written: the next life writes it again, and the admin hears of it."""
    ben = daemon.server.private_chat("Ben")
    async with daemon.living() as process:
        daemon.ann.say("/help")
        ben.say("Tell me about the sea.")
        await daemon.server.until(lambda: daemon.server.messages(ben))
        process.send_signal(signal.SIGSEGV)
        assert process.wait() == -signal.SIGSEGV
    async with daemon.living():
        await daemon.until_settled()
        await daemon.server.until(lambda: any("cut off" in text for text in daemon.server.texts(daemon.ann)))
    check(daemon, ben, 1)
