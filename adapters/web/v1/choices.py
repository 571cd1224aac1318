"""The generations of one request."""

import asyncio
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from typing import Self

from adapters.web.v1.failure import failure, stopped
from bot.adapter import ModelAccess
from bot.errors import EngineLostError, RequestError
from bot.generation import Generation
from bot.messages import ReplyFacts
from bot.request import (
    GenerationDelta,
    GenerationDone,
    GenerationEvent,
    GenerationFailed,
    GenerationRequest,
    TokenLogprob,
)

Events = AsyncGenerator[tuple[int, GenerationEvent], None]
"""Each event with the index of its choice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One finished choice."""

    done: GenerationDone
    logprobs: tuple[TokenLogprob, ...]
    """Of the answer's tokens, without those of thoughts."""

    @property
    def facts(self) -> ReplyFacts:
        """What is known of it."""
        return self.done.facts


class Choices:
    """Several generations as one stream of events."""

    def __init__(self, generations: Sequence[Generation]) -> None:
        self._generations = tuple(generations)

    @classmethod
    @contextmanager
    def submitted(cls, model: ModelAccess, requests: Sequence[GenerationRequest]) -> Iterator[Self]:
        """Put the requests in the line; whatever runs yet on leaving is cancelled. Raises `ApiError`."""
        generations: list[Generation] = []
        try:
            for request in requests:
                generations.append(model.submit(request))  # noqa: PERF401 - the first ones are cancelled if one fails
            yield cls(generations)
        except (RequestError, EngineLostError) as error:
            raise failure(error) from error
        finally:
            _cancel(generations)

    def cancel(self) -> None:
        """Stop those that run yet."""
        _cancel(self._generations)

    async def events(self) -> Events:
        """Yield each event with the index of its choice. Raises `ApiError` when one fails or is stopped."""
        stream = self._one() if len(self._generations) == 1 else self._merged()
        async with aclosing(stream):
            async for index, event in stream:
                if isinstance(event, GenerationFailed):
                    raise failure(event.error)
                if isinstance(event, GenerationDone) and event.finish_reason == "cancelled":
                    raise stopped()
                yield index, event

    async def outcomes(self) -> tuple[Outcome, ...]:
        """Wait for all to finish. Raises `ApiError`."""
        logprobs: dict[int, list[TokenLogprob]] = {}
        done: dict[int, GenerationDone] = {}
        async with aclosing(self.events()) as events:
            async for index, event in events:
                if isinstance(event, GenerationDelta) and event.logprobs and not event.reasoning:
                    logprobs.setdefault(index, []).extend(event.logprobs)
                elif isinstance(event, GenerationDone):
                    done[index] = event
        return tuple(Outcome(done=done[index], logprobs=tuple(logprobs.get(index, ()))) for index in range(len(done)))

    async def _one(self) -> Events:
        async for event in self._generations[0]:
            yield 0, event

    async def _merged(self) -> Events:
        events: asyncio.Queue[tuple[int, GenerationEvent]] = asyncio.Queue()

        async def pump(index: int, generation: Generation) -> None:
            async for event in generation:
                events.put_nowait((index, event))

        pumps = [asyncio.create_task(pump(index, each)) for index, each in enumerate(self._generations)]
        try:
            running = len(pumps)
            while running:
                index, event = await events.get()
                running -= isinstance(event, GenerationDone | GenerationFailed)
                yield index, event
        finally:
            for each in pumps:
                each.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)


def _cancel(generations: Sequence[Generation]) -> None:
    for each in generations:
        if not each.ended:
            each.cancel()
