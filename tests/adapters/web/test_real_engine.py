"""The API over the real model."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import openai
import pytest
from openai import AsyncOpenAI

from bot.engine.batch import BatchPart
from bot.engine.engine import Engine
from bot.settings import ModelSettings
from tests.support.real_engine import ENGINE_SETTINGS
from tests.support.web_client import web

WRITING = {"messages": [{"role": "user", "content": "Tell me a story."}], "max_tokens": 2000, "logit_bias": {"2": -100}}
READING = {"messages": [{"role": "user", "content": "Sum this up. " + "A word and another one. " * 300}]}

PERSON = {
    "type": "object",
    "properties": {"name": {"type": "string", "maxLength": 12}, "age": {"type": "integer"}},
    "required": ["name", "age"],
    "additionalProperties": False,
}


class Gate:
    """Stops the inference thread in front of a batch, so that a test knows in which one it is."""

    def __init__(self, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
        self.batches = 0
        """That were begun."""
        self._stop_at: int | None = None
        self._reached = threading.Event()
        self._opened = threading.Event()
        self._decode = engine.model.runner.decode
        monkeypatch.setattr(engine.model.runner, "decode", self._pass)

    async def stopped_at(self, batch: int) -> None:
        """Return when so many more batches were begun, the last of which does not go on."""
        self._stop_at = self.batches + batch
        await asyncio.to_thread(self._reached.wait)

    def open(self) -> None:
        """Let everything go on."""
        self._opened.set()

    def _pass(self, parts: list[BatchPart]) -> dict[int, int]:
        self.batches += 1
        if self.batches == self._stop_at:
            self._reached.set()
            self._opened.wait()
        return self._decode(parts)


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[Engine]:
    """Without personas, so that nothing else is read."""
    started = await Engine.start(ModelSettings(), ENGINE_SETTINGS, cache_dir=tmp_path, notify=lambda _: None)
    yield started
    await started.aclose()


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("body", "batch"), [(WRITING, 5), (READING, 2)], ids=["writing", "reading"])
async def test_a_client_that_leaves_costs_one_batch(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, body: dict[str, Any], batch: int, stream: bool
) -> None:
    """The batch that was begun when the client left is the request's last, whether it was read or written in."""
    gate = Gate(engine, monkeypatch)
    cancelled, ended = asyncio.Event(), asyncio.Event()
    cancel, observe = engine.cancel, engine._ledger._observe
    monkeypatch.setattr(engine, "cancel", lambda request_id: (cancel(request_id), cancelled.set()))
    monkeypatch.setattr(engine._ledger, "_observe", lambda facts: (observe(facts), ended.set()))
    try:
        async with web(engine) as adapter, httpx2.AsyncClient(base_url=adapter.url, timeout=60) as client:
            stopped = asyncio.create_task(gate.stopped_at(batch))
            asking = asyncio.create_task(client.post("/v1/chat/completions", json={**body, "stream": stream}))
            await stopped
            begun = gate.batches
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)
            await cancelled.wait()
            gate.open()
            await ended.wait()
            assert gate.batches == begun
    finally:
        gate.open()


async def test_openai_s_client_gets_what_it_asks_for(engine: Engine) -> None:
    """From the first request to the last: chat, stream, cache, JSON by a schema, tools, and a completion with echo."""
    hello: list[Any] = [{"role": "user", "content": "Name three colours."}]
    asked: dict[str, Any] = {"model": openai.NOT_GIVEN, "max_tokens": 24, "temperature": 0}
    async with web(engine) as adapter, AsyncOpenAI(base_url=f"{adapter.url}/v1", api_key="-", max_retries=0) as client:
        create = client.chat.completions.create
        whole = await create(messages=hello, logprobs=True, top_logprobs=2, **asked)
        [choice] = whole.choices
        assert choice.message.content
        assert choice.logprobs is not None
        assert choice.logprobs.content is not None
        assert all(len(token.top_logprobs) == 2 for token in choice.logprobs.content)
        stream = await create(messages=hello, stream=True, **asked)
        pieces = [chunk.choices[0].delta.content or "" async for chunk in stream]
        again = await create(messages=hello, **asked)
        assert "".join(pieces) == again.choices[0].message.content

        more = [*hello, {"role": "assistant", "content": choice.message.content}, {"role": "user", "content": "More."}]
        usage = (await create(messages=more, **asked)).usage
        assert usage is not None
        assert usage.prompt_tokens_details is not None
        assert usage.prompt_tokens_details.cached_tokens

        ages = [{"role": "user", "content": "Anna is 7."}]
        form = {"type": "json_schema", "json_schema": {"name": "person", "strict": True, "schema": PERSON}}
        answer = await create(messages=ages, response_format=form, **asked)
        assert set(json.loads(answer.choices[0].message.content or "")) == {"name", "age"}
        tool = {"type": "function", "function": {"name": "save", "parameters": PERSON}}
        for choose in ("required", {"type": "function", "function": {"name": "save"}}):
            answer = await create(messages=ages, tools=[tool], tool_choice=choose, **asked | {"max_tokens": 100})
            [call] = (answer.choices[0].message.tool_calls or [])[:1]
            assert (call.function.name, set(json.loads(call.function.arguments))) == ("save", {"name", "age"})

        question = {
            "prompt": "Q: Name the planets in the solar system? A:",
            "stop": ["Q:", "\n"],
            "echo": True,
            "seed": 7,
        }
        texts = [
            (await client.completions.create(model=openai.NOT_GIVEN, max_tokens=16, **question)).choices[0].text
            for _ in range(2)
        ]
        assert texts[0] == texts[1]
        assert texts[0].startswith(question["prompt"])
