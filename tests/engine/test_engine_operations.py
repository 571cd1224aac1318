"""Whatever is submitted, cancelled and finished in whatever order, nothing is left behind."""

import asyncio
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from bot.engine.engine import Engine
from bot.errors import QueueFullError
from bot.generation import Generation
from bot.request import ChatMessage, GenerationFailed, GenerationRequest, SamplingParams
from bot.settings import EngineSettings, ModelSettings

SETTINGS = EngineSettings(n_ctx=256, max_parallel=3, max_waiting=6, max_waiting_per_user=3, n_threads=1, probe="off")


class EngineOperations(RuleBasedStateMachine):
    """Random users of a real engine with three sequences."""

    model: ClassVar = ModelSettings()
    running = Bundle("running")

    @initialize()
    def start(self) -> None:
        """Start the engine in an event loop of its own."""
        self.loop = asyncio.new_event_loop()
        self.folder = tempfile.TemporaryDirectory()
        self.submitted: list[Generation] = []
        self.engine = self.loop.run_until_complete(
            Engine.start(self.model, SETTINGS, cache_dir=Path(self.folder.name), notify=lambda _: None)
        )

    @rule(
        target=running,
        user=st.sampled_from("abcd"),
        words=st.integers(1, 260),
        max_tokens=st.integers(1, 12),
        named=st.booleans(),
        temperature=st.sampled_from([0.0, 1.0]),
    )
    def submit(self, *, user: str, words: int, max_tokens: int, named: bool, temperature: float) -> Any:
        """Somebody asks something, of any length."""
        request = GenerationRequest(
            messages=(ChatMessage(role="user", content="word " * words),),
            user=user,
            conversation=user if named else None,
            max_tokens=max_tokens,
            sampling=SamplingParams(temperature=temperature),
        )
        try:
            generation = self.engine.submit(request)
        except QueueFullError:
            return multiple()
        self.submitted.append(generation)
        return generation

    @rule(generation=running)
    def cancel(self, generation: Generation) -> None:
        """Somebody changes their mind, perhaps after the end, perhaps twice."""
        generation.cancel()

    @rule(turns=st.integers(1, 5))
    def let_time_pass(self, turns: int) -> None:
        """The event loop and the engine go on for a few steps."""
        for _ in range(turns):
            self.loop.run_until_complete(asyncio.wrap_future(self.engine.lock.call(lambda: None), loop=self.loop))

    @rule(generation=consumes(running))
    def finish(self, generation: Generation) -> None:
        """Somebody waits for their answer."""
        self.loop.run_until_complete(asyncio.wait_for(self._end_of(generation), timeout=60))

    @invariant()
    def books_are_right(self) -> None:
        """Between any two steps the books agree with the context."""
        if hasattr(self, "engine"):
            self.engine.lock.call(self.engine.model.core.check_integrity).result(timeout=60)

    async def _end_of(self, generation: Generation) -> None:
        async for event in generation:
            if isinstance(event, GenerationFailed):
                assert isinstance(event.error, QueueFullError) or "too long" in str(event.error)

    def teardown(self) -> None:
        """Everything ends, and nothing is held by anybody."""
        if not hasattr(self, "engine"):
            return
        for generation in self.submitted[::2]:
            generation.cancel()
        for generation in self.submitted:
            self.loop.run_until_complete(asyncio.wait_for(self._end_of(generation), timeout=60))
        self.engine.lock.call(self.engine.model.core.check_integrity).result(timeout=60)
        assert not any(slot.busy for slot in self.engine.model.core.slots.all)
        assert list(self.engine._open) == []

        status = self.engine.status()
        assert (status.running, status.waiting) == (0, 0)
        assert asyncio.all_tasks(self.loop) == set()
        self.loop.run_until_complete(self.engine.aclose())
        self.loop.run_until_complete(self.loop.shutdown_default_executor())
        self.loop.close()
        self.folder.cleanup()


TestEngineOperations = EngineOperations.TestCase
TestEngineOperations.settings = settings(
    max_examples=8,
    stateful_step_count=50,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.parametrize("kind", ["recurrent", "hybrid", "sliding window"])
def test_nothing_is_left_behind_where_memory_cannot_be_cut(tiny_models: Mapping[str, Path], kind: str) -> None:
    """The same holds for models that fall back on whole states and checkpoints."""

    class Operations(EngineOperations):
        model = ModelSettings(path=str(tiny_models[kind]))

    run_state_machine_as_test(
        Operations,
        settings=settings(
            max_examples=3, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
