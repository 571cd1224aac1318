"""A chat core whose answers are written down beforehand, for the layers around it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

from bot.adapter import OpenTarget, ReplyTarget, WatchedModel
from bot.adapter_state import AdapterPhase, AdapterState
from bot.adapter_store import AdapterStore
from bot.book import ConversationBook
from bot.errors import QuotaExceededError
from bot.messages import ChatAddress, CommandSpec, IncomingMessage, OutgoingMessage, ReplyFacts, Timings, Usage
from bot.metering import Meter
from bot.metrics import Metrics
from bot.people import Door, PeopleRegister, PersonRole
from bot.settings import GenerationSettings
from tests.support.memory_store import MemoryStore

Answer = Callable[[IncomingMessage, ReplyTarget], Awaitable[None]]

FACTS = ReplyFacts(
    finish_reason="stop",
    usage=Usage(prompt_tokens=20, cached_tokens=12, completion_tokens=3),
    timings=Timings(queue_ms=0.5, prefill_ms=10.0, ttft_ms=12.0, decode_ms=30.0),
)


async def echo(message: IncomingMessage, target: ReplyTarget) -> None:
    """Answer with the text that came in."""
    await target.send(OutgoingMessage(text=message.text, facts=FACTS))


class ScriptedCore:
    """Answers with the next of its answers, and echoes when there are none left."""

    commands: Sequence[CommandSpec] = (
        CommandSpec(name="help", summary="what I can do"),
        CommandSpec(name="new", summary="start over", aliases=("reset",)),
        CommandSpec(name="persona", summary="who I am", argument="[name]", choices=("hearth", "pirate")),
    )

    def __init__(self, *answers: Answer, model: WatchedModel | None = None) -> None:
        self.answers = list(answers)
        self._model = model
        self.generation = GenerationSettings()
        self.metrics = Metrics()
        self.adapters: Sequence[AdapterState] = ()
        self.store: AdapterStore = MemoryStore()
        self.received: list[IncomingMessage] = []
        self.arrived = asyncio.Event()
        self._changed = asyncio.Condition()
        self.phases: list[tuple[str, AdapterPhase, str]] = []
        self.roles: dict[str, PersonRole] = {}
        self.meters: dict[str, Meter] = {}
        self.refusal: QuotaExceededError | None = None
        self.platforms: dict[str, OpenTarget] = {}
        self.storing = asyncio.Event()
        """Messages are accepted only once this is set."""
        self.storing.set()
        self.gone: list[ChatAddress] = []
        self.moved: list[tuple[ChatAddress, str]] = []

    @property
    def model(self) -> WatchedModel:
        """The one it was given."""
        if self._model is None:
            raise NotImplementedError
        return self._model

    @property
    def book(self) -> ConversationBook:
        """Nothing is stored here."""
        raise NotImplementedError

    @property
    def people(self) -> PeopleRegister:
        """Nobody is known here."""
        raise NotImplementedError

    @property
    def door(self) -> Door:
        """Itself."""
        return self

    @property
    def claim_code(self) -> str | None:
        """There is an admin."""
        return None

    async def role(self, person: str) -> PersonRole | None:
        """What the test says."""
        return self.roles.get(person)

    async def claim(self, person: str, *, name: str, code: str) -> bool:
        """Never."""
        return False

    @asynccontextmanager
    async def metered(self, adapter: str, user: str, *, admin: bool) -> AsyncIterator[Meter]:
        """Keep the meters, by who it was; refuse where the test says so."""
        if self.refusal is not None:
            raise self.refusal
        meter = self.meters.setdefault(f"{adapter}:{user}", Meter())
        yield meter

    async def connecting(self, name: str) -> None:
        """Nothing is owed here."""

    def connected(self, name: str, open_target: OpenTarget) -> None:
        """Note that an adapter is up."""
        self.platforms[name] = open_target

    def disconnected(self, name: str, phase: AdapterPhase, reason: str = "") -> None:
        """Note that it is not, and why."""
        self.platforms.pop(name, None)
        self.phases.append((name, phase, reason))

    async def chat_gone(self, address: ChatAddress) -> None:
        """Note where."""
        self.gone.append(address)

    async def chat_moved(self, address: ChatAddress, chat: str) -> None:
        """Note from where to where."""
        self.moved.append((address, chat))

    async def until(self, count: int) -> None:
        """Return when so many messages have come."""
        async with self._changed:
            await self._changed.wait_for(lambda: len(self.received) >= count)

    async def handle(
        self, message: IncomingMessage, target: ReplyTarget, accepted: Callable[[], None] = lambda: None
    ) -> None:
        """Note the message and play its answer."""
        self.received.append(message)
        self.arrived.set()
        async with self._changed:
            self._changed.notify_all()
        await self.storing.wait()
        accepted()
        await (self.answers.pop(0) if self.answers else echo)(message, target)
