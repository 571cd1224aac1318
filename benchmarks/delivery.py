"""What the chat itself costs: from a message received to its request in the engine, and a long reply split."""

import asyncio
import itertools
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median, quantiles

from benchmarks.report import Reach, Report
from benchmarks.setup import Setup
from bot.chat.composition import compose_chat
from bot.chat.service import ChatService
from bot.chat.splitting.splitter import Splitter
from bot.generation import Generation
from bot.messages import IncomingMessage
from bot.request import GenerationRequest
from bot.settings import Configuration
from bot.storage.database import Database
from tests.support.recording_target import RecordingTarget
from tests.support.scripted_engine import ScriptedEngine

TURNS, CHATS = 100, 50
REPLY = "A sentence, and *one* more with `code` in it. " * 4
LONG = "\n\n".join(
    [REPLY, "```python\n" + "print('x')\n" * 60 + "```", "| a | b |\n|---|---|\n" + "| 1 | 2 |\n" * 20] * 6
)


class TimedEngine(ScriptedEngine):
    """Says when a request has come."""

    def __init__(self) -> None:
        super().__init__(n_ctx=100_000)
        self.answer = lambda _request: REPLY
        self.submitted: dict[str, float] = {}

    def submit(self, request: GenerationRequest) -> Generation:
        """Note the time by the text of the message."""
        self.submitted[request.messages[-1].content] = time.perf_counter()
        return super().submit(request)


async def measure(setup: Setup) -> Report:
    """A real database on this disk and a scripted model, so that nothing but the chat is measured."""
    alone: list[float] = []
    together: list[float] = []
    for _ in range(setup.runs):
        with _folder() as folder:
            alone += await _alone(folder)
            together.append(await _together(folder))
    began = time.perf_counter()
    parts = Splitter(max_length=4096).split(LONG)
    split_ms = (time.perf_counter() - began) * 1000
    setup.say("delivery: measured")
    slowest = quantiles(alone, n=20)[-1]
    return Report(
        name="delivery",
        title="Delivery: from a message to the engine",
        about=(
            f"{TURNS} messages one after the other in one chat, each stored twice (on its arrival, and as a turn) with "
            f"every commit synced to the disk, until the request is in the engine. Then one message each in {CHATS} "
            f"chats at once, to the last answer delivered. A reply of {len(LONG):,} characters with code and tables is "
            f"split into {len(parts)} messages of at most 4,096."
        ),
        header=("", "ms"),
        rows=[
            ("message received to request in the engine, median", f"{median(alone):.1f}"),
            ("the same, 19 of 20 are faster", f"{slowest:.1f}"),
            (f"{CHATS} chats at once, all answered", f"{median(together):.0f}"),
            ("a long reply split", f"{split_ms:.0f}"),
        ],
        reaches=[Reach(what="message received to request in the engine", figure=median(alone), limit=10, unit=" ms")],
        raw={"alone_ms": alone, "together_ms": together, "split_ms": split_ms},
    )


@contextmanager
def _folder() -> Iterator[Path]:
    # Beside the project: the system's temporary folder may be in memory, where a sync costs nothing.
    with tempfile.TemporaryDirectory(prefix="hearthbot-bench-", dir=Path.cwd()) as folder:
        yield Path(folder)


async def _open(path: Path, engine: TimedEngine) -> tuple[ChatService, Database]:
    database = await Database.open(path, busy_timeout_s=5)
    configuration = Configuration.model_validate({"permissions": {"open": True}})
    return compose_chat(configuration=configuration, generator=engine, database=database), database


async def _alone(folder: Path) -> list[float]:
    engine = TimedEngine()
    service, database = await _open(folder / "alone.db", engine)
    found: list[float] = []
    for number in range(TURNS):
        text = f"message {number}"
        began = time.perf_counter()
        await service.handle(_message(text, "ann", number), RecordingTarget())
        found.append((engine.submitted[text] - began) * 1000)
    await service.aclose()
    await database.aclose()
    return found


async def _together(folder: Path) -> float:
    service, database = await _open(folder / "together.db", TimedEngine())
    numbers = itertools.count()
    began = time.perf_counter()
    await asyncio.gather(
        *(service.handle(_message("hello", str(chat), next(numbers)), RecordingTarget()) for chat in range(CHATS))
    )
    took = (time.perf_counter() - began) * 1000
    await service.aclose()
    await database.aclose()
    return took


def _message(text: str, user: str, number: int) -> IncomingMessage:
    return IncomingMessage(adapter="bench", chat=user, user=user, message_id=str(number), text=text)
