"""Who was shut out does not get in by a key, a link or a session."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import openai
import pytest
from openai import AsyncOpenAI

from tests.support.logged_in import logged_in
from tests.support.page_server import ADMIN_KEY, KEY, PageServer, page_server

HELLO = [{"role": "user", "content": "Hello"}]
WITH_KEY = {"authorization": f"Bearer {KEY}"}


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[PageServer]:
    """The API and the page over the whole chat; Anna and the owner have keys."""
    async with page_server(tmp_path / "web.db") as started:
        yield started


@pytest.fixture
async def anna(server: PageServer) -> AsyncIterator[AsyncOpenAI]:
    """Her program."""
    async with AsyncOpenAI(base_url=f"{server.url}/v1", api_key=KEY, max_retries=0) as client:
        yield client


async def decide(server: PageServer, decision: str) -> None:
    """As the owner does on the admin page."""
    async with logged_in(server.url, key=ADMIN_KEY) as owner:
        answer = await owner.client.post("/page/admin/people", json={"whom": "web:anna", "decision": decision})
        assert answer.status_code == 200, answer.text


async def test_a_key_of_somebody_who_is_blocked_opens_nothing(server: PageServer, anna: AsyncOpenAI) -> None:
    """Every path answers 403 in OpenAI's shape and the model is not asked; others and who is let in again go on."""
    await anna.chat.completions.create(model="hearthbot", messages=HELLO)
    await decide(server, "block")
    with pytest.raises(openai.PermissionDeniedError) as caught:
        await anna.chat.completions.create(model="hearthbot", messages=HELLO, stream=True)
    assert (caught.value.code, caught.value.type) == ("blocked", "permission_error")
    async with httpx2.AsyncClient(base_url=server.url, headers=WITH_KEY) as client:
        for path in ("/v1/models", "/v1/models/hearthbot", "/health", "/metrics"):
            answer = await client.get(path)
            assert (answer.status_code, answer.json()["error"]["code"]) == (403, "blocked")
        bodies = {
            "chat/completions": {"messages": HELLO},
            "completions": {"prompt": "a"},
            "responses": {"input": "a"},
            "embeddings": {"input": "a"},
        }
        for path, body in bodies.items():
            answer = await client.post(f"/v1/{path}", json=body)
            assert (answer.status_code, answer.json()["error"]["code"]) == (403, "blocked")
    assert len(server.engine.history) == 1
    async with AsyncOpenAI(base_url=f"{server.url}/v1", api_key=ADMIN_KEY, max_retries=0) as owner:
        await owner.chat.completions.create(model="hearthbot", messages=HELLO)
    await decide(server, "approve")
    await anna.chat.completions.create(model="hearthbot", messages=HELLO)
    assert [request.user for request in server.engine.history] == ["web:anna", "web:owner", "web:anna"]


async def test_the_configuration_shuts_out_too(tmp_path: Path) -> None:
    """`blocked_ids` holds for keys and for the log-in, whatever the key may."""
    permissions = {"permissions": {"users": {"blocked_ids": ["web:owner"]}}}
    async with page_server(tmp_path / "web.db", configuration=permissions) as server, httpx2.AsyncClient() as client:
        answer = await client.get(f"{server.url}/v1/models", headers={"authorization": f"Bearer {ADMIN_KEY}"})
        assert answer.status_code == 403
        login = await client.post(f"{server.url}/page/login", json={"key": ADMIN_KEY}, headers={"origin": server.url})
        assert login.status_code == 403


async def test_a_browser_of_somebody_who_is_blocked_is_at_the_door_again(server: PageServer) -> None:
    """The session is worth nothing as long as that lasts, and neither a key nor a link makes another."""
    async with logged_in(server.url, key=ADMIN_KEY) as owner:
        invitation = (await owner.client.post("/page/admin/links", json={"name": "anna"})).json()
    async with logged_in(server.url, key=KEY) as anna:
        await decide(server, "block")
        for path in ("/page/me", "/page/conversations", "/page/conversations/12345678/events"):
            assert (await anna.client.get(path)).status_code == 401
        assert (await anna.say("12345678", "m1", "let me in")).status_code == 401
        assert (await anna.client.get("/")).headers["location"] == "/login"
        for proof in ({"key": KEY}, {"link": invitation["path"].rpartition("#")[2]}):
            answer = await anna.client.post("/page/login", json=proof)
            assert answer.status_code == 403
            assert answer.json()["error"]["message"] == "You have been shut out here. Please ask the owner."
        await decide(server, "approve")
        assert (await anna.client.get("/page/me")).status_code == 200
    assert server.engine.history == []


async def test_without_keys_even_this_machine_s_user_can_be_shut_out(tmp_path: Path) -> None:
    """`web:local` is who asks where there are no keys."""
    permissions = {"permissions": {"users": {"blocked_ids": ["web:local"]}}}
    async with (
        page_server(tmp_path / "web.db", configuration=permissions, api_keys={}) as server,
        httpx2.AsyncClient() as client,
    ):
        assert (await client.get(f"{server.url}/v1/models")).status_code == 403
