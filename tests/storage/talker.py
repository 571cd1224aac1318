"""A process that talks until it is killed, and says on standard output what it was promised.

`talker.py DATABASE USER` prints `starting` before it opens the file, then `begun ID TEXT` and `done ID TEXT` after the
call in question has returned.
"""

import asyncio
import itertools
import os
import sys
from pathlib import Path

from bot.messages import ConversationKey, ReplyFacts, Timings, Usage
from bot.storage.conversation_repository import ConversationRepository
from bot.storage.database import Database
from bot.storage.turn_repository import TurnRepository

FACTS = ReplyFacts(
    finish_reason="stop",
    usage=Usage(prompt_tokens=9, cached_tokens=5, completion_tokens=3),
    timings=Timings(queue_ms=0.0, prefill_ms=1.0, ttft_ms=1.0, decode_ms=2.0),
)


def promise(line: str) -> None:
    """One write, so that a kill leaves no half line."""
    os.write(1, f"{line}\n".encode())


async def main() -> None:
    """Talk for ever, every third turn answered twice."""
    promise("starting")
    database = await Database.open(Path(sys.argv[1]), busy_timeout_s=30)
    conversations, turns = ConversationRepository(database), TurnRepository(database)
    key = ConversationKey(adapter="console", chat="1", thread="", user=sys.argv[2])
    conversation = await conversations.current(key, default_persona="hearth")
    for number in itertools.count():
        text = f"{os.getpid()}/{number}"
        turn = await turns.begin(
            conversation.id, message_id=text, sender_name="Ada", text=text, persona=conversation.persona
        )
        promise(f"begun {turn.id} {text}")
        for attempt in range(2 if number % 3 == 0 else 1):
            if attempt:
                await turns.restart(turn.id)
            await turns.finish(turn.id, reply=f"re: {text}", reasoning="", facts=FACTS)
            promise(f"done {turn.id} {text}")


asyncio.run(main())
