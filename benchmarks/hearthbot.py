"""hearthbot's engine in this process, asked as the chat asks it."""

import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.contender import Contender, Turn
from bot.engine.engine import Engine
from bot.request import ChatMessage, GenerationDelta, GenerationDone, GenerationRequest, SamplingParams
from bot.settings import EngineSettings, ModelSettings

GREEDY = SamplingParams(temperature=0.0)


class Hearthbot(Contender):
    """The engine, through `Engine.submit`."""

    def __init__(self, name: str, model: Path, settings: EngineSettings, cache_dir: Path | None = None) -> None:
        """`cache_dir` keeps the KV store from one start to the next; a fresh one for each start when None."""
        super().__init__(name)
        self._model = ModelSettings(path=str(model))
        self._settings = settings
        self._fixed = cache_dir
        self._engine: Engine | None = None
        self._temporary: tempfile.TemporaryDirectory[str] | None = None

    @property
    def engine(self) -> Engine:
        """The engine, while this is started."""
        if self._engine is None:
            raise RuntimeError("the engine is not started")
        return self._engine

    async def start(self) -> None:
        """Load the model."""
        folder = self._fixed
        if folder is None:
            self._temporary = tempfile.TemporaryDirectory(prefix="hearthbot-bench-")
            folder = Path(self._temporary.name)
        self._engine = await Engine.start(self._model, self._settings, cache_dir=folder, notify=lambda _: None)

    async def stop(self) -> None:
        """Close the engine; what is worth keeping is saved, as on every stop."""
        if self._engine is not None:
            await self._engine.aclose()
            self._engine = None
        if self._temporary is not None:
            self._temporary.cleanup()
            self._temporary = None

    async def turn(
        self,
        messages: Sequence[ChatMessage],
        *,
        user: str,
        max_tokens: int,
        conversation: str | None = None,
        shift: bool = False,
    ) -> Turn:
        """Write one reply."""
        request = GenerationRequest(
            messages=tuple(messages),
            user=user,
            conversation=conversation,
            sampling=GREEDY,
            max_tokens=max_tokens,
            may_shift=shift,
        )
        started = time.perf_counter()
        first = None
        async for event in self.engine.submit(request):
            if isinstance(event, GenerationDelta) and first is None:
                first = time.perf_counter()
            elif isinstance(event, GenerationDone):
                ended = time.perf_counter()
                usage = event.facts.usage
                return Turn(
                    text=event.text,
                    ttft_s=(first or ended) - started,
                    total_s=ended - started,
                    prompt_tokens=usage.prompt_tokens,
                    evaluated_tokens=usage.prompt_tokens - usage.cached_tokens,
                    completion_tokens=usage.completion_tokens,
                )
        raise RuntimeError("the engine did not finish a reply")

    async def content_tokens(self, text: str) -> int:
        """Tokens of a message's own text, without its frame."""
        sizes = [
            await self.engine.count_prompt_tokens((ChatMessage(role="user", content=content),))
            for content in (text, "")
        ]
        return sizes[0] - sizes[1]
