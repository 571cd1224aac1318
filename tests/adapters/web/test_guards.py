"""Who is let in, and what a stranger, a browser or a careless client can do."""

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import httpx2
import pytest

from adapters.web import WebAdapter, WebSettings
from adapters.web.admission import Admission
from adapters.web.api_error import ApiError
from adapters.web.body_limit import PROMPT_BYTES
from adapters.web.principal import Allowance, Principal
from bot.config import load
from bot.errors import ConfigError
from bot.loader import AdapterLoader
from tests.support.fake_clock import FakeClock
from tests.support.scripted_engine import ScriptedEngine
from tests.support.web_client import web

KEY = "key-of-anna-0123456789"
KEYS = {"anna": {"key": KEY, "max_tokens": 20}, "bert": {"key": "key-of-bert-0123456789", "admin": True}}
CHAT = {"messages": [{"role": "user", "content": "Hello"}]}


def refusal(folder: Path, web_section: str) -> str:
    """What a configuration with this section is refused with."""
    file = folder / "config.yaml"
    file.write_text(f"adapters: {{web: {web_section}}}")
    with pytest.raises(ConfigError) as caught:
        load(file, environ={}, adapter_settings=AdapterLoader().settings_type)
    return str(caught.value)


async def ask(adapter: WebAdapter, path: str = "/v1/models", **options: Any) -> httpx2.Response:
    """One request, which is a POST where it has a body."""
    method = "POST" if {"json", "content"} & options.keys() else "GET"
    async with httpx2.AsyncClient() as client:
        return await client.request(options.pop("method", method), f"{adapter.url}{path}", **options)


def test_a_port_for_everybody_needs_a_key(tmp_path: Path) -> None:
    """An address beyond this machine is refused at start, with the key and what to do."""
    said = refusal(tmp_path, "{host: 0.0.0.0}")
    assert "config.yaml:1" in said
    assert "adapters.web.host" in said
    assert "add a key under api_keys" in said
    for host in ("127.0.0.1", "::1", "localhost"):
        assert WebSettings(host=host).host == host
    assert WebSettings(host="192.168.0.7", api_keys=KEYS).api_keys
    assert WebSettings(host="192.168.0.7", enabled=False)


def test_bad_keys_are_refused(tmp_path: Path) -> None:
    """Short ones, missing ones and one that two people share; none is shown."""
    assert "at least 16" in refusal(tmp_path, "{api_keys: {anna: {key: short-secret}}}")
    assert "short-secret" not in refusal(tmp_path, "{api_keys: {anna: {key: short-secret}}}")
    assert "needs key or key_env" in refusal(tmp_path, "{api_keys: {anna: {admin: true}}}")
    shared = f"{{api_keys: {{anna: {{key: {KEY}}}, bert: {{key: {KEY}}}}}}}"
    assert "have the same key" in refusal(tmp_path, shared)
    assert KEY not in refusal(tmp_path, shared)


async def test_a_key_opens_the_api() -> None:
    """Without one, or with a wrong one, everything but `/health` is refused; its holder has a name in the line."""
    model = ScriptedEngine(n_ctx=4096)
    async with web(model, api_keys=KEYS) as adapter:
        for headers in ({}, {"authorization": "Bearer wrong"}, {"authorization": f"Basic {KEY}"}):
            refused = await ask(adapter, headers=headers)
            assert refused.status_code == 401
            assert refused.json()["error"]["code"] == "invalid_api_key"
            assert refused.headers["www-authenticate"] == "Bearer"
        assert (await ask(adapter, "/health")).json() == {"status": "ok"}
        allowed = {"authorization": f"Bearer {KEY}"}
        assert "engine" in (await ask(adapter, "/health", headers=allowed)).json()
        assert (await ask(adapter, "/v1/chat/completions", json=CHAT, headers=allowed)).status_code == 200
        assert model.history[0].user == "web:anna"


async def test_each_key_has_limits_of_its_own() -> None:
    """Anna's replies are at most 20 tokens: by default, and by refusal of more; Bert's are not."""
    model = ScriptedEngine(n_ctx=4096)
    async with web(model, api_keys=KEYS) as adapter:
        for key, asked, status in ((KEY, None, 200), (KEY, 21, 400), ("key-of-bert-0123456789", 21, 200)):
            body = CHAT if asked is None else {**CHAT, "max_tokens": asked}
            answer = await ask(adapter, "/v1/chat/completions", json=body, headers={"authorization": f"Bearer {key}"})
            assert answer.status_code == status
        assert [request.max_tokens for request in model.history] == [20, 21]


def test_requests_of_a_key_are_counted() -> None:
    """So many at the same time, and so many a minute; the answer says when to come back."""
    clock = FakeClock()
    admission = Admission(clock.now)
    anna = Principal(name="anna", allowance=Allowance(max_requests=1))
    with admission.admit(anna), admission.admit(Principal(name="bert")):
        with pytest.raises(ApiError) as caught, admission.admit(anna):
            pass
        assert (caught.value.status, caught.value.headers["retry-after"]) == (429, "1")
    with admission.admit(anna):
        pass
    carl = Principal(name="carl", allowance=Allowance(requests_per_minute=2))
    for _ in range(2):
        with admission.admit(carl):
            pass
    with pytest.raises(ApiError) as caught, admission.admit(carl):
        pass
    assert caught.value.headers["retry-after"] == "60"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"host": "evil.example"}, 403),
        ({"host": "evil.example:8080"}, 403),
        ({"host": "chat.example.org"}, 200),
        ({"host": "localhost:1"}, 200),
        ({"host": "[::1]:8080"}, 200),
        ({"host": "192.168.0.7:8080"}, 200),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"host": "localhost:8080", "origin": "http://localhost:8080"}, 200),
        ({"origin": "https://app.example.org"}, 200),
    ],
)
async def test_a_browser_is_of_no_use_to_others(headers: dict[str, str], status: int) -> None:
    """Names that are not this server's, and pages of other servers, are refused unless the owner added them."""
    allowed = {"allowed_hosts": ["chat.example.org"], "allowed_origins": ["https://app.example.org"]}
    async with web(**allowed) as adapter:
        answer = await ask(adapter, headers=headers)
        assert answer.status_code == status
        shared = answer.headers.get("access-control-allow-origin")
        assert shared == (headers["origin"] if headers.get("origin") == "https://app.example.org" else None)


async def test_other_origins_are_closed_by_default() -> None:
    """Without `allowed_origins`, no preflight succeeds."""
    async with web() as adapter:
        preflight = await ask(
            adapter,
            method="OPTIONS",
            headers={"origin": "https://app.example.org", "access-control-request-method": "POST"},
        )
        assert preflight.status_code == 403
        assert not [name for name in preflight.headers if name.startswith("access-control")]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[" * 100_000,
        b'{"messages":' * 10_000,
        b"\xff\xfe\xfd",
        b'{"messages":[{"role":"user","content":"\xff"}]}',
        b'{"messages":[{"role":"user","content":"\\ud800"}]}',
        b'{"seed":' + b"1" * 10_000 + b',"messages":[{"role":"user","content":"x"}]}',
        b'{"seed":1e400,"messages":[{"role":"user","content":"x"}]}',
        b'{"temperature":NaN,"messages":[{"role":"user","content":"x"}]}',
        b'{"max_tokens":-1,"messages":[{"role":"user","content":"x"}]}',
        b'{"n":true,"messages":[{"role":"user","content":"x"}]}',
        b'{"messages":[{"role":"user","content":{"a":1}}]}',
        b'{"messages":[[]]}',
        b'{"messages":[{"role":"user","content":"x"}],"tools":[{"type":"function","function":{"name":"a b"}}]}',
        b'{"messages":[{"role":"user","content":"x"}],"response_format":{"type":"json_schema","json_schema":{"name":"a",'
        b'"schema":' + b'{"items":' * 100 + b"{}" + b"}" * 100 + b"}}}",
        b'"just text"',
        b"null",
        b"\x00" * 1000,
    ],
)
async def test_nonsense_is_a_client_s_error(body: bytes) -> None:
    """Whatever the body is, the answer is a 400 in OpenAI's shape, and the server goes on."""
    model = ScriptedEngine()
    async with web(model) as adapter:
        for path in ("/v1/chat/completions", "/v1/completions", "/v1/responses", "/v1/embeddings"):
            answer = await ask(adapter, path, content=body, headers={"content-type": "application/json"})
            assert answer.status_code == 400, answer.text
            assert answer.json()["error"]["type"] == "invalid_request_error"
        assert (await ask(adapter)).status_code == 200
    assert model.history == []


async def test_a_body_has_to_say_that_it_is_json() -> None:
    """A form of another page cannot say so without asking first, and that is refused."""
    async with web() as adapter:
        body = b'{"messages":[{"role":"user","content":"x"}]}'
        answer = await ask(adapter, "/v1/chat/completions", content=body, headers={"content-type": "text/plain"})
        assert answer.status_code == 400
        assert "Content-Type" in answer.json()["error"]["message"]


async def test_large_bodies_are_refused_unread() -> None:
    """By their announced length, and by what comes where none is announced."""

    async def endless() -> Any:
        for _ in range(PROMPT_BYTES // 65536 + 2):
            yield b"x" * 65536

    async with web() as adapter:
        for body in (b"x" * (PROMPT_BYTES + 1), endless()):
            answer = await ask(
                adapter, "/v1/chat/completions", content=body, headers={"content-type": "application/json"}
            )
            assert answer.status_code == 413
            assert answer.json()["error"]["message"] == "The body is larger than 4 MiB."


@pytest.mark.parametrize(
    "sent",
    [
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n",
        b"GET / HTTP/1.1\r\nx: " + b"a" * 100_000,
        b"GET / HTTP/1.1\r\n" + b"x: y\r\n" * 20_000,
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 what a browser says first on https\r\n\r\n",
        b"POST /v1/completions HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\nno size\r\n",
    ],
    ids=["line", "field", "head", "https", "chunk"],
)
async def test_what_is_no_request_is_a_client_s_error(sent: bytes) -> None:
    """A line or a head without end, and what is no HTTP, is refused in OpenAI's shape, and the server goes on."""
    async with web() as adapter:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(adapter.url.rpartition(":")[2]))
        writer.write(sent)
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 400")
        assert json.loads(await reader.read(4096))["error"]["type"] == "invalid_request_error"
        writer.close()
        await asyncio.gather(writer.wait_closed(), return_exceptions=True)
        assert (await ask(adapter)).status_code == 200


async def test_the_documentation_asks_no_other_host() -> None:
    """The page, its script and its style come from here, and nothing in the page names another place."""
    async with web() as adapter:
        page = await ask(adapter, "/docs")
        links = re.findall(r'(?:src|href)="([^"]+)"', page.text)
        assert all(link.startswith(("/static/", "data:")) for link in links)
        for link in links:
            if not link.startswith("data:"):
                assert (await ask(adapter, link)).status_code == 200
        assert "connect-src 'self'" in page.headers["content-security-policy"]
        document = (await ask(adapter, "/openapi.json")).json()
        assert "/v1/chat/completions" in document["paths"]
