"""The process dies, and the next one owes what it owed.

`HEARTHBOT_KILLS=100 pytest -s tests/faults/test_death.py` kills it a hundred times, in about ten minutes, and prints
figures; without it, a few times.
"""

import asyncio
import os
import random
import re
import signal
from dataclasses import dataclass, field

import pytest

from tests.support.bot_api import FakeChat
from tests.support.faulty_daemon import FaultyDaemon

KILLS = int(os.environ.get("HEARTHBOT_KILLS", "2"))
OPEN = 2
"""Messages of one person that may be without an answer at the same time."""
MOST_STEPS = 80
"""Calls that come in and calls that are answered in one life: enough for replies to end, and for others to begin."""


def _plain(text: str) -> str:
    return " ".join(re.findall(r"\w+", text))


def _replies(daemon: FaultyDaemon, chat: FakeChat) -> list[tuple[str, str]]:
    """Messages and what was replied to them, in the order of the conversation."""
    rows = daemon.query(
        "SELECT turns.text, turns.reply FROM turns JOIN conversations ON conversations.id = conversation_id "
        "WHERE chat = ? AND status = 'done' ORDER BY turns.id",
        str(chat.id),
    )
    return [(text, _plain(reply)) for text, reply in rows]


def check(daemon: FaultyDaemon, chat: FakeChat, asked: int) -> None:
    """Every message has its reply, it stands in the chat, and more than once only where that is said."""
    replies = [reply for _, reply in _replies(daemon, chat)]
    shown = [_plain(text) for text in daemon.server.texts(chat)]
    assert len(replies) == asked, (replies, shown)
    for reply in replies:
        assert reply in shown, (reply, shown)
    if not any("twice" in text for text in shown):
        beginnings = tuple(reply[:12] for reply in replies)
        assert len([text for text in shown if text.startswith(beginnings)]) == asked, (replies, shown)


@dataclass(slots=True, kw_only=True)
class Talk:
    """One person's chat, through all lives of the daemon."""

    chat: FakeChat
    asked: list[str] = field(default_factory=list)

    def say(self, text: str) -> None:
        """Ask something that was not asked before."""
        self.asked.append(text)
        self.chat.say(text)

    def judge(self, daemon: FaultyDaemon) -> dict[str, int]:
        """Count what went wrong."""
        replies = _replies(daemon, self.chat)
        shown = [_plain(text) for text in daemon.server.texts(self.chat)]
        rest = iter(shown)
        in_order = all(any(each == reply for each in rest) for _, reply in replies)
        beginnings = tuple(reply[:12] for _, reply in replies)
        copies = sum(text.startswith(beginnings) for text in shown) - len(replies)
        marks = sum("twice" in text for text in shown)
        answered = [text for text, _ in replies]
        return {
            "messages": len(self.asked),
            "lost": sum(text not in answered for text in self.asked) + sum(each not in shown for _, each in replies),
            "answered twice": len(answered) - len(set(answered)),
            "doubled and marked": min(copies, marks),
            "doubled unmarked": max(0, copies - marks),
            "chats out of order": int(answered != self.asked or not in_order),
        }


@pytest.mark.timeout(120 + 60 * KILLS)
async def test_kill_9_under_load_loses_no_message_and_no_reply(daemon: FaultyDaemon) -> None:
    """Killed at random moments while four people talk; then everybody has every reply, once and in order."""
    chance = random.Random()  # noqa: S311 - moments, not secrets
    server = daemon.server
    talks = [Talk(chat=chat) for chat in (daemon.ann, *map(server.private_chat, ("Ben", "Cleo", "Dora")))]

    def talk() -> None:
        for each in talks:
            if len(each.asked) < OPEN or len(each.asked) - len(_replies(daemon, each.chat)) < OPEN:
                each.say(f"Tell me about the number {len(each.asked)}.")

    def steps() -> int:
        calls = server.named("sendChatAction", "sendMessage", "editMessageText")
        answered = sum(call.result is not None or call.error is not None for call in calls)
        return len(calls) + answered + sum(bool(poll.result) for poll in server.polls)

    for _ in range(KILLS):
        moment = steps() + chance.randint(1, MOST_STEPS)
        if chance.random() < 0.5:
            talk()  # while it is off
        async with daemon.living() as process:
            while steps() < moment:
                talk()
                await asyncio.sleep(0.02)
            process.send_signal(signal.SIGKILL)
    async with daemon.living():
        await daemon.until(lambda: not server.updates.pending)
        await daemon.until_settled()
    figures = [each.judge(daemon) for each in talks]
    total = {name: sum(each[name] for each in figures) for name in figures[0]}
    print(f"\n{KILLS} kills: " + ", ".join(f"{count} {name}" for name, count in total.items()))  # noqa: T201 - for -s
    for wrong in ("lost", "answered twice", "doubled unmarked", "chats out of order"):
        assert total[wrong] == 0, (wrong, total)
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
