"""Who reads the texts: each is held to the same schemas and gets the same messages."""

import asyncio
import http.client
import json
import sys
import time
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.extraction.cases import Case
from benchmarks.hearthbot import Hearthbot
from benchmarks.peer_server import LlamaServer, PeerError
from benchmarks.setup import Setup
from bot.engine import constraint
from bot.engine.closing import forced_tokens
from bot.engine.engine import Engine
from bot.extraction import Extractor
from bot.extraction.bounds import Bounds
from bot.extraction.budget import budget
from bot.extraction.prompt import Prompt
from bot.generation import Generation
from bot.request import ChatMessage, EngineStatus, GenerationRequest
from bot.settings import ReasoningMode
from bot.settings.extraction import ExtractionSettings

N_CTX = 2048
SETTINGS = ExtractionSettings(unknown=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came out, and how long it took."""

    value: Any
    """None where it is no JSON."""
    seconds: float


class Reader(AbstractAsyncContextManager["Reader"]):
    """An asynchronous context manager that reads one text after another."""

    name: str

    @abstractmethod
    async def read(self, case: Case) -> Answer:
        """Read one text."""


class Shaped:
    """The engine, with something left out of what it is asked."""

    def __init__(self, engine: Engine, *, speculation: bool, reuse: bool) -> None:
        self._engine = engine
        self._speculation = speculation
        self._reuse = reuse
        self._number = 0

    @property
    def n_ctx(self) -> int:
        """As it is."""
        return self._engine.n_ctx

    def submit(self, request: GenerationRequest) -> Generation:
        """Without a text to copy from, or with a start that no other prompt has."""
        if not self._speculation:
            request = replace(request, copied_from="")
        if not self._reuse:
            self._number += 1
            first = request.messages[0]
            changed = replace(first, content=f"{self._number}. {first.content}")
            request = replace(request, messages=(changed, *request.messages[1:]), conversation=None)
        return self._engine.submit(request)

    async def count_prompt_tokens(
        self, messages: Sequence[ChatMessage], *, reasoning: ReasoningMode = "hide", continue_final: bool = False
    ) -> int:
        """As it is."""
        return await self._engine.count_prompt_tokens(messages, reasoning=reasoning, continue_final=continue_final)

    def status(self) -> EngineStatus:
        """As it is."""
        return self._engine.status()


class HearthbotReader(Reader):
    """The extractor over the engine, in this process: all of it is timed, the grounding too."""

    def __init__(
        self,
        setup: Setup,
        name: str = "hearthbot",
        *,
        forward: bool = True,
        reuse: bool = True,
        speculation: bool = True,
    ) -> None:
        """`forward`: tokens that the grammar forces are not sampled."""
        self.name = name
        self._contender: Hearthbot = setup.hearthbot(n_ctx=N_CTX, parallel=1, name=name)
        self._forward = forward
        self._reuse = reuse
        self._speculation = speculation

    async def read(self, case: Case) -> Answer:
        """Read one text."""
        started = time.perf_counter()
        found = await self.extractor.extract(case.schema, case.text, user="bench")
        return Answer(value=found.value, seconds=time.perf_counter() - started)

    async def __aenter__(self) -> Reader:
        await self._contender.__aenter__()
        engine = Shaped(self._contender.engine, speculation=self._speculation, reuse=self._reuse)
        self.extractor = Extractor(engine, SETTINGS)
        if not self._forward:
            setattr(constraint, "forced_tokens", lambda _: [])  # noqa: B010 - mypy knows no function that is replaced
        return self

    async def __aexit__(self, *_: object) -> None:
        setattr(constraint, "forced_tokens", forced_tokens)  # noqa: B010
        await self._contender.stop()


class JsonSchemaReader(Reader):
    """llama-server with `response_format: json_schema`."""

    def __init__(self, server: LlamaServer) -> None:
        self.name = f"{server.name}, json_schema"
        self._server = server

    async def read(self, case: Case) -> Answer:
        """Read one text."""
        schema = held(case)
        body = {
            "messages": messages(case),
            "temperature": 0.0,
            "max_tokens": budget(schema),
            "cache_prompt": True,
            "response_format": {"type": "json_schema", "json_schema": {"name": "r", "strict": True, "schema": schema}},
        }
        started = time.perf_counter()
        text = await asyncio.to_thread(self._post, body)
        return Answer(value=parsed(text), seconds=time.perf_counter() - started)

    def _post(self, body: Mapping[str, Any]) -> str:
        connection = http.client.HTTPConnection("127.0.0.1", self._server._port, timeout=300)
        try:
            connection.request("POST", "/v1/chat/completions", json.dumps(body), {"Content-Type": "application/json"})
            answer = json.loads(connection.getresponse().read())
        except (OSError, ValueError, http.client.HTTPException) as error:
            raise PeerError(f"{self.name} broke off: {error!r}") from error
        finally:
            connection.close()
        if "error" in answer:
            raise PeerError(f"{self.name}: {answer['error']}")
        return str(answer["choices"][0]["message"]["content"])

    async def __aenter__(self) -> Reader:
        await self._server.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._server.stop()


class FunctionCallingReader(Reader):
    """llama-cpp-python's own `chatml-function-calling`, in a process of its own, asked over pipes."""

    name = "llama-cpp-python, chatml-function-calling"

    def __init__(self, model: Path, threads: int) -> None:
        self._arguments = (str(model), str(threads), str(N_CTX))
        self._process: asyncio.subprocess.Process | None = None

    async def read(self, case: Case) -> Answer:
        """Read one text."""
        process = self._process
        assert process is not None
        assert process.stdin is not None
        assert process.stdout is not None
        schema = held(case)
        if case.schema.many:  # a function's arguments are an object
            schema = {"type": "object", "properties": {"records": schema}, "required": ["records"]}
        request = {"messages": messages(case), "schema": schema, "max_tokens": budget(schema)}
        started = time.perf_counter()
        process.stdin.write(json.dumps(request).encode() + b"\n")
        await process.stdin.drain()
        line = await process.stdout.readline()
        seconds = time.perf_counter() - started
        if not line:
            raise PeerError(f"{self.name} has ended")
        value = parsed(json.loads(line))
        if case.schema.many and isinstance(value, Mapping):
            value = value.get("records")
        return Answer(value=value, seconds=seconds)

    async def __aenter__(self) -> Reader:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "benchmarks.extraction.function_calling_child",
            *self._arguments,
            cwd=Path(__file__).parents[2],
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            limit=2**22,
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()


def messages(case: Case) -> list[dict[str, str]]:
    """What hearthbot tells its model."""
    return [{"role": each.role, "content": each.content} for each in Prompt(case.schema).messages(case.text)]


def held(case: Case) -> dict[str, Any]:
    """The schema that hearthbot holds its model to, without what the peers cannot express and would refuse."""
    bounded = Bounds(max_string=SETTINGS.max_string, max_items=SETTINGS.max_items).apply(case.schema.answer)
    held_to: dict[str, Any] = _without_multiples(bounded)
    return held_to


def _without_multiples(schema: Any) -> Any:
    if isinstance(schema, dict):
        return {key: _without_multiples(value) for key, value in schema.items() if key != "multipleOf"}
    return [_without_multiples(each) for each in schema] if isinstance(schema, list) else schema


def parsed(text: str) -> Any:
    """The value, or None."""
    try:
        return json.loads(text)
    except ValueError:
        return None
