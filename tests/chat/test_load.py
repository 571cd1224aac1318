"""Many chats at once."""

import asyncio

from bot.storage.answer_repository import AnswerRepository
from tests.support.chat_bench import ChatBench
from tests.support.recording_target import RecordingTarget

CHATS, MESSAGES = 50, 4


async def test_fifty_chats_at_once_lose_nothing_and_keep_their_order(bench: ChatBench) -> None:
    """Everybody writes several messages at the same time: every answer comes once, in order, in its own chat."""
    bench.clock.hurried = True
    targets = [RecordingTarget(max_length=60, buttons=True) for _ in range(CHATS)]
    bench.engine.answer = lambda request: f"{request.messages[-1].content} " + "words and words " * 6

    async def talk(chat: int) -> None:
        await asyncio.gather(
            *(
                bench.service.handle(bench.message(f"{chat}-{number}", user=str(chat)), targets[chat])
                for number in range(MESSAGES)
            )
        )

    await asyncio.gather(*(talk(chat) for chat in range(CHATS)))
    for chat, target in enumerate(targets):
        shown = " ".join(target.replies)
        expected = " ".join(f"{chat}-{number} " + "words and words " * 6 for number in range(MESSAGES))
        assert shown.split() == expected.split()
    assert await AnswerRepository(bench.database).owed("test") == []
    assert len(bench.lines) == 0
    assert asyncio.all_tasks() == {asyncio.current_task()}
