"""Summaries under random use."""

import re
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.request import GenerationRequest
from bot.storage.database import Database
from tests.support.chat_bench import ChatBench
from tests.support.scripted_engine import prompt_tokens

TAG = re.compile(r"#\d+\b")
OPERATIONS = st.sampled_from([*["say"] * 8, *["pause"] * 4, "long", "undo", "edit", "retry", "persona"])


def answer(request: GenerationRequest) -> str:
    """Name the messages that a summary is made of; answer anything else without naming any."""
    if "sum up our conversation" not in request.messages[-1].content:
        return "fine " * 10
    told = {tag for message in request.messages for tag in TAG.findall(message.content)}
    return " ".join(["sum", *sorted(told)])


class Talk:
    """A person who talks, thinks better of it, and now and then pauses."""

    def __init__(self, bench: ChatBench) -> None:
        self.bench = bench
        self.told: list[tuple[str, str]] = []
        """Id and tag of each message that still stands."""
        bench.engine.answer = answer

    async def do(self, operation: str, number: int, choice: int) -> bool:
        """Do it; True where the model was asked to answer."""
        match operation:
            case "pause" if self.bench.summarising:
                await self.bench.pause()
            case "undo" if self.told:
                for _ in range(choice % len(self.told) + 1):
                    self.told.pop()
                    await self.bench.say("/undo")
            case "persona":
                await self.bench.say(f"/persona {('hearth', 'pirate')[choice % 2]}")
            case "say" | "long" | "edit" | "retry":
                return await self._write(operation, number, choice)
        return False

    async def _write(self, operation: str, number: int, choice: int) -> bool:
        match operation:
            case "say" | "long":
                self.told.append((f"id{number}", f"#{number}"))
                words = "word " * (150 if operation == "long" else 60)
                await self.bench.say(f"#{number} {words}", message_id=f"id{number}")
            case "edit" if self.told:
                del self.told[choice % len(self.told) + 1 :]
                message_id, _ = self.told.pop()
                self.told.append((message_id, f"#{number}"))
                await self.bench.say(f"#{number} edited", message_id=message_id, edited=True)
            case "retry" if self.told:
                await self.bench.say("/retry")
        return bool(self.told)


@given(operations=st.lists(st.tuples(OPERATIONS, st.integers(0, 99)), min_size=25, max_size=60))
@settings(max_examples=25)
async def test_nothing_that_was_taken_back_is_told_in_any_form(operations: list[tuple[str, int]]) -> None:
    """Whatever is said, edited and summed up: every prompt fits, ends with the message, and has nothing undone."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "chat.db"
        database = await Database.open(path, busy_timeout_s=5)
        bench = ChatBench(path, database, {"history": {"overflow": "summarise"}, "generation": {"max_tokens": 40}})
        talk = Talk(bench)
        try:
            for number, (operation, choice) in enumerate(operations):
                if not await talk.do(operation, number, choice):
                    continue
                request = bench.engine.history[-1]
                assert prompt_tokens(request.messages) + (request.max_tokens or 0) <= 400
                named = [tag for text in bench.engine.prompts[-1] for tag in TAG.findall(text)]
                assert set(named) <= {tag for _, tag in talk.told}
                assert named[-1] == talk.told[-1][1]
        finally:
            await bench.service.drain(0)
            await database.aclose()
