"""The process dies, and the next one owes what it owed."""

import signal

from tests.support.bot_api import FakeChat
from tests.support.faulty_daemon import FaultyDaemon


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
