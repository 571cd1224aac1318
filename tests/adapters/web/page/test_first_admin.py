"""Who is admin of the page: by a key, by the terminal's link, by a role, or by the code that makes the first one."""

from pathlib import Path

import httpx2
import pytest

from adapters.web.page.login_gate import PER_ADDRESS
from tests.support.logged_in import LoggedIn, logged_in
from tests.support.page_server import ADMIN_KEY, KEY, PageServer, page_server

THREAD = "12345678"


async def offered(server: PageServer) -> str:
    """The code that stands in the log."""
    code = await server.core.offer_claim()
    assert code is not None
    return code


async def test_the_code_of_the_log_opens_the_door_once(server: PageServer) -> None:
    """Whoever types it where the key goes is logged in as the admin; for the next one it is a wrong key."""
    code = await offered(server)
    async with logged_in(server.url, key=code.lower()) as first:
        assert (await first.client.get("/page/me")).json()["admin"] is True
        assert (await first.client.get("/page/admin/state")).json()["claim_code"] is None
        answer = await first.client.post("/page/login", json={"key": code})
        assert answer.status_code == 403
    people = await server.core.people.everybody()
    assert [(person.id, person.role) for person in people] == [("web:local", "admin")]


async def test_guesses_of_the_code_are_counted_with_those_of_keys(server: PageServer) -> None:
    """An address that tried too often is refused with the right code, too."""
    code = await offered(server)
    async with httpx2.AsyncClient(base_url=server.url, headers={"origin": server.url}) as client:
        for _ in range(PER_ADDRESS):
            assert (await client.post("/page/login", json={"key": "AAAA-AAAA-AAAA"})).status_code == 403
        assert (await client.post("/page/login", json={"key": code})).status_code == 429


async def test_the_code_can_be_sent_in_the_chat_of_the_page(server: PageServer, anna: LoggedIn) -> None:
    """Who was let in by a key becomes the admin by it, of the page as of the chat."""
    assert (await anna.client.get("/page/admin/state")).status_code == 403
    code = await offered(server)
    async with anna.events(THREAD) as events:
        await anna.say(THREAD, "m1", code)
        async for event in events:
            if event["type"] == "ended":
                break
    assert (await anna.client.get("/page/me")).json()["admin"] is True
    assert (await anna.client.get("/page/admin/state")).status_code == 200
    assert (await anna.client.get("/admin")).status_code == 200


async def test_the_admin_page_shows_the_code_while_there_is_one(server: PageServer, owner: LoggedIn) -> None:
    """So that the owner can send it from a chat app."""
    code = await offered(server)
    assert (await owner.client.get("/page/admin/state")).json()["claim_code"] == code


@pytest.mark.parametrize("role", ["admin", "user"])
async def test_a_role_of_the_configuration_holds_on_the_page(tmp_path: Path, role: str) -> None:
    """Who is named in `admin_ids` sees the admin page, whatever the key says; others do not."""
    named = {"permissions": {"users": {"admin_ids" if role == "admin" else "allowed_ids": ["web:anna"]}}}
    async with page_server(tmp_path / "web.db", configuration=named) as server:
        async with logged_in(server.url, key=KEY) as anna:
            assert (await anna.client.get("/page/me")).json()["admin"] is (role == "admin")
        async with logged_in(server.url, key=ADMIN_KEY) as owner:
            assert (await owner.client.get("/page/me")).json()["admin"] is True
