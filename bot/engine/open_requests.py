"""Every request that has not ended: those on their way to the line, and those that use the model."""

import asyncio
import time
from collections.abc import Iterator

from bot.engine.sequence import Sequence
from bot.errors import EngineLostError
from bot.generation import Generation
from bot.messages import ReplyFacts, Timings, Usage
from bot.request import GenerationDone, GenerationEvent, GenerationFailed, GenerationWaiting


class OpenRequests:
    """Belongs to the event loop."""

    def __init__(self) -> None:
        self._reading: dict[int, asyncio.Task[None]] = {}
        """Requests on their way to the line."""
        self._sequences: dict[int, Sequence] = {}
        """Requests that use the model."""
        self._quiet = asyncio.Event()
        self._quiet.set()

    def __iter__(self) -> Iterator[int]:
        """The ids of all of them, as they are now."""
        return iter([*self._reading, *self._sequences])

    @property
    def reading(self) -> int:
        """How many are on their way to the line."""
        return len(self._reading)

    @property
    def quiet(self) -> bool:
        """Whether none uses the model."""
        return self._quiet.is_set()

    async def wait_quiet(self) -> None:
        """Wait until none uses the model."""
        await self._quiet.wait()

    def sequences(self) -> list[Sequence]:
        """Those that use the model, in the order they came."""
        return list(self._sequences.values())

    def sequence(self, request_id: int) -> Sequence | None:
        """A request, if it uses the model."""
        return self._sequences.get(request_id)

    def read(self, generation: Generation, task: asyncio.Task[None], *, submitted_at: float) -> None:
        """A request is on its way to the line until `task` ends. `submitted_at` is a reading of `perf_counter`."""
        self._reading[generation.request_id] = task

        def done(task: asyncio.Task[None]) -> None:
            del self._reading[generation.request_id]
            if task.cancelled():  # perhaps before its first line
                generation.push(GenerationDone(text="", reasoning="", facts=_nothing_done(submitted_at)))

        task.add_done_callback(done)

    def stop_reading(self, request_id: int) -> None:
        """Cancel a request, if it is on its way to the line."""
        if request_id in self._reading:
            self._reading[request_id].cancel()

    def add(self, sequence: Sequence) -> None:
        """A request uses the model from now on."""
        self._sequences[sequence.generation.request_id] = sequence
        self._quiet.clear()

    def deliver(self, sequence: Sequence, event: GenerationEvent) -> None:
        """Tell a request's reader what happened; it may have been the last."""
        sequence.generation.push(event)
        if isinstance(event, GenerationWaiting):
            sequence.position = event.position
        if sequence.generation.ended:
            del self._sequences[sequence.generation.request_id]

    def settle(self) -> bool:
        """Whether the last of them has ended since this was asked before."""
        if self._sequences or self._quiet.is_set():
            return False
        self._quiet.set()
        return True

    def fail_all(self, error: EngineLostError) -> None:
        """The engine is lost: end those that use the model."""
        for sequence in self._sequences.values():
            sequence.generation.push(GenerationFailed(error=error, text=sequence.writer.text))
        self._sequences.clear()
        self._quiet.set()


def _nothing_done(submitted_at: float) -> ReplyFacts:
    waited = (time.perf_counter() - submitted_at) * 1000
    return ReplyFacts(
        finish_reason="cancelled",
        usage=Usage(prompt_tokens=0, cached_tokens=0, completion_tokens=0),
        timings=Timings(queue_ms=waited, prefill_ms=0.0, ttft_ms=0.0, decode_ms=0.0),
    )
