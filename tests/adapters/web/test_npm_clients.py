"""OpenAI's client and Vercel's AI SDK from npm, over a real socket."""

import asyncio
import json
import os
import shutil
from pathlib import Path

import pytest

from bot.errors import QueueFullError
from bot.generation import Generation
from bot.request import GenerationRequest, ToolCall
from tests.support.scripted_engine import ScriptedEngine
from tests.support.web_client import web

FOLDER = Path(__file__).parent / "npm"
WHY_NOT = (
    "node is not installed"
    if shutil.which("node") is None
    else ""
    if (FOLDER / "node_modules").is_dir()
    else "their packages are not installed: npm ci --prefix tests/adapters/web/npm"
)


class Weatherman(ScriptedEngine):
    """Calls the tool there is, writes the JSON it is asked for, and otherwise echoes; is full at one request."""

    def submit(self, request: GenerationRequest) -> Generation:
        """Choose the answer by what is asked for."""
        if len(self.history) == 7:
            self.enqueue(refusal=QueueFullError("The line is full."))
        elif request.tools:
            self.enqueue(tool_calls=[ToolCall(id="call_1", name="weather", arguments='{"place":"Rome"}')])
        elif request.constraint is not None:
            self.enqueue('{"a": 1}')
        else:
            self.enqueue("re: ", request.messages[-1].content, thoughts=("Hm.",))
        return super().submit(request)


@pytest.mark.skipif(bool(WHY_NOT) and "CI" not in os.environ, reason=WHY_NOT)
async def test_clients_from_npm_get_what_they_ask_for() -> None:
    """Chat, stream, tools in all choices, JSON by a schema and errors, each with both clients."""
    async with web(Weatherman(n_ctx=4096)) as adapter:
        process = await asyncio.create_subprocess_exec(
            "node",
            str(FOLDER / "chat.mjs"),
            adapter.url,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        output, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
    got = json.loads(output)
    sdk = got.pop("sdk")
    rome = {"name": "weather", "arguments": '{"place":"Rome"}'}
    usage = got.pop("usage")
    assert (usage["completion_tokens"], usage["prompt_tokens_details"]) == (3, {"cached_tokens": 4})
    assert got == {
        "models": ["scripted", "hearthbot"],
        "whole": "re: Hello you",
        "stream": "re: Hello you",
        "tools": [rome, rome, rome],
        "none": "re: Hello you",
        "json": {"a": 1},
        "error": ["BadRequestError", 400, "temperature"],
        "full": ["RateLimitError", "queue_full"],
        "responses": "re: Hello you",
    }
    assert sdk == {
        "whole": ["Hm.", "re: Hello you", 3],
        "stream": "re: Hello you",
        "finish": "stop",
        "tools": [[["weather", {"place": "Rome"}]]] * 3,
        "none": "re: Hello you",
        "json": {"a": 1},
        "error": ["AI_APICallError", 400],
    }
