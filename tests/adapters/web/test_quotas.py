"""What programs have the model do counts among what their person may have."""

from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest

from bot.errors import QuotaExceededError
from tests.support.scripted_core import ScriptedCore
from tests.support.scripted_engine import ScriptedEngine
from tests.support.web_client import web

ASKED: dict[str, Any] = {"messages": [{"role": "user", "content": "a b"}], "max_tokens": 9}


@pytest.fixture
async def adapter() -> AsyncIterator[Any]:
    """The web over a scripted model."""
    async with web(ScriptedEngine(n_ctx=4096)) as opened:
        yield opened


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("path", "asked"), [("chat/completions", ASKED), ("responses", {"input": "a b", "max_output_tokens": 9})]
)
async def test_what_is_read_and_written_is_counted(
    adapter: Any, path: str, asked: dict[str, Any], stream: bool
) -> None:
    """Whole or as a stream, for the key's name; here nobody needs a key, and all is the local user's."""
    async with httpx2.AsyncClient(base_url=adapter.url) as client:
        answer = await client.post(f"/v1/{path}", json={**asked, "stream": stream})
    assert answer.status_code == 200, answer.text
    core: ScriptedCore = adapter.core
    (meter,) = core.meters.values()
    assert list(core.meters) == ["web:local"]
    assert meter.tokens == 8  # 4 of the message, 1 to open the reply, 3 written


async def test_who_has_used_theirs_up_gets_429(adapter: Any) -> None:
    """In OpenAI's shape, with the words that a chat would have."""
    adapter.core.refusal = QuotaExceededError("Please try again in 5 minutes.")
    async with httpx2.AsyncClient(base_url=adapter.url) as client:
        answer = await client.post("/v1/chat/completions", json=ASKED)
    assert answer.status_code == 429
    assert answer.json()["error"]["code"] == "quota_exceeded"
    assert "in 5 minutes" in answer.json()["error"]["message"]
