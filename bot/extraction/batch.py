"""Many sources, one after the other as results, several at the same time as work."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from bot.errors import EngineLostError, HearthbotError, StorageError
from bot.extraction.extraction import Extraction


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one source."""

    source: str
    value: Any = None
    grounding: Sequence[Any] = ()
    """As `Extraction.grounding_objects` has it."""
    failure: str | None = None
    """Why there is no value."""

    @classmethod
    def of(cls, source: str, found: Extraction) -> "Outcome":
        """A source that was read."""
        return cls(source=source, value=found.value, grounding=found.grounding_objects())


async def run_batch(
    sources: Sequence[str], work: Callable[[str], Awaitable[Outcome]], *, parallel: int
) -> AsyncIterator[Outcome]:
    """The outcomes in the order of the sources. One that fails does not stop the others; a lost engine does."""
    places = asyncio.Semaphore(parallel)

    async def one(source: str) -> Outcome:
        async with places:
            try:
                return await work(source)
            except (EngineLostError, StorageError):
                raise
            except HearthbotError as error:
                return Outcome(source=source, failure=getattr(error, "user_text", str(error)))
            except OSError as error:
                return Outcome(source=source, failure=error.strerror or str(error))

    tasks = [asyncio.create_task(one(source)) for source in sources]
    try:
        for task in tasks:
            yield await task
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
