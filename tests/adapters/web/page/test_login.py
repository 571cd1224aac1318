"""The door: who gets in, how often one may guess, and what other sites' pages can do."""

from pathlib import Path

import httpx2
import pytest

from adapters.web.page.login_gate import IN_ALL, PER_ADDRESS, WINDOW_S, LoginGate
from tests.support.logged_in import LoggedIn, logged_in
from tests.support.page_server import KEY, PageServer, page_server


async def test_a_link_logs_in_once_as_the_owner(server: PageServer) -> None:
    """The link of the terminal makes an admin of its first user, and is worth nothing to a second one."""
    secret = server.link.rpartition("#")[2]
    async with logged_in(server.url, link=secret) as person:
        me = (await person.client.get("/page/me")).json()
        assert me["admin"] is True
    async with httpx2.AsyncClient(base_url=server.url, headers={"origin": server.url}) as client:
        again = await client.post("/page/login", json={"link": secret})
        assert again.status_code == 403
        assert "used before" in again.json()["error"]["message"]


async def test_the_secret_of_a_link_is_sent_to_no_server_by_opening_it(server: PageServer) -> None:
    """It stands behind the #, so it is in no log, and a preview of the link does not use it up."""
    assert server.link.startswith(f"{server.url}/login#")


async def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(server: PageServer) -> None:
    """The session's cookie is HttpOnly and SameSite=Strict; the database holds neither it nor the link, only hashes."""
    async with httpx2.AsyncClient(base_url=server.url, headers={"origin": server.url}) as client:
        answer = await client.post("/page/login", json={"key": KEY})
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert "Path=/" in cookie
    token = cookie.split("=", 1)[1].split(";", 1)[0]
    kept = dict(await server.adapter.core.store.all("web", ""))
    assert len(kept) == 2
    assert token not in str(kept)
    assert server.link.rpartition("#")[2] not in str(kept)


async def test_without_a_session_there_is_nothing_but_the_door(server: PageServer) -> None:
    """Pages lead to the log-in, requests are refused, and the static files say nothing about anybody."""
    async with httpx2.AsyncClient(base_url=server.url) as client:
        for path in ("/", "/admin"):
            answer = await client.get(path)
            assert (answer.status_code, answer.headers["location"]) == (303, "/login")
        for path in ("/page/me", "/page/conversations", "/page/conversations/12345678/events", "/page/admin/sessions"):
            assert (await client.get(path)).status_code == 401
        assert (await client.get("/login")).status_code == 200


async def test_a_session_outlives_a_restart_and_ends_with_the_log_out(tmp_path: Path) -> None:
    """The cookie is good for the next life of the daemon, until its owner logs out."""
    database = tmp_path / "page.db"
    async with page_server(database) as server, logged_in(server.url, key=KEY) as person:
        cookies = person.client.cookies
    async with (
        page_server(database) as server,
        httpx2.AsyncClient(base_url=server.url, cookies=cookies, headers={"origin": server.url}) as client,
    ):
        assert (await client.get("/page/me")).json()["name"] == "anna"
        assert (await client.post("/page/logout", json={})).status_code == 204
        client.cookies.update(cookies)
        assert (await client.get("/page/me")).status_code == 401


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "SERVER", "sec-fetch-site": "cross-site"},
        {"origin": "SERVER", "sec-fetch-site": "same-site"},
    ],
)
async def test_another_sites_page_can_do_nothing(server: PageServer, anna: LoggedIn, headers: dict[str, str]) -> None:
    """Even with the cookie, what does not come from the page itself changes nothing."""
    sent = {name: server.url if value == "SERVER" else value for name, value in headers.items()}
    async with httpx2.AsyncClient(base_url=server.url, cookies=anna.client.cookies, headers=sent) as client:
        answer = await client.post(
            "/page/conversations/12345678/messages", json={"message_id": "m1", "text": "Give me your money"}
        )
        assert answer.status_code == 403
        assert (await client.delete("/page/conversations/12345678")).status_code == 403
    assert await anna.turns("12345678") == []


async def test_guessing_is_slowed_down(server: PageServer) -> None:
    """After some wrong keys an address has to wait, even with the right one, and is told for how long."""
    async with httpx2.AsyncClient(base_url=server.url, headers={"origin": server.url}) as client:
        for _ in range(PER_ADDRESS):
            assert (await client.post("/page/login", json={"key": "wrong"})).status_code == 403
        answer = await client.post("/page/login", json={"key": KEY})
        assert answer.status_code == 429
        assert 0 < int(answer.headers["retry-after"]) <= WINDOW_S


def test_the_gate_opens_again_and_counts_everybody_together() -> None:
    """Failures are forgotten after the window or a success; many addresses have one count in common."""
    now = 0.0
    gate = LoginGate(lambda: now)
    for _ in range(PER_ADDRESS):
        gate.failed("a")
    assert gate.wait_s("a") == WINDOW_S
    assert gate.wait_s("b") == 0
    gate.succeeded("a")
    assert gate.wait_s("a") == 0
    for number in range(IN_ALL):
        gate.failed(str(number))
    assert gate.wait_s("new") == WINDOW_S
    now = WINDOW_S
    assert gate.wait_s("new") == 0


async def test_everything_is_kept_to_this_host(server: PageServer) -> None:
    """The pages allow scripts, styles and connections of this server alone, and load nothing from another."""
    async with httpx2.AsyncClient(base_url=server.url) as client:
        policy = (await client.get("/login")).headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
