"""What the browser asks for: messages, events, the list, files."""

import asyncio
from pathlib import Path
from typing import Any

from bot.messages import ChatAddress, OutgoingMessage
from tests.support.logged_in import LoggedIn, logged_in
from tests.support.page_server import ADMIN_KEY, KEY, PageServer, page_server

THREAD = "thread-1"


async def until_ended(events: Any, count: int = 1) -> list[dict[str, Any]]:
    """Everything up to the end of `count` exchanges."""
    seen = []
    async for event in events:
        seen.append(event)
        if event["type"] == "ended":
            count -= 1
            if not count:
                return seen
    raise AssertionError("the stream ended first")


async def test_a_reply_grows_piece_by_piece(server: PageServer, anna: LoggedIn) -> None:
    """A message is accepted at once; the reply comes as events that say only what is new."""
    reply = server.engine.enqueue("Fire ", "is 🔥 warm.", held=True)
    async with anna.events(THREAD) as events:
        assert await anext(events) == {"type": "state", "exchanges": []}
        assert (await anna.say(THREAD, "m1", "What is fire?")).status_code == 202
        begun = await anext(events)
        assert (begun["begun"]["action"], begun["begun"]["text"]) == ("send", "What is fire?")
        await reply.written.wait()
        first = await anext(events)
        assert first["type"] == "message"
        reply.release()
        rest = await until_ended(events)
    facts = [event["message"]["facts"] for event in rest if event["type"] == "message"]
    assert facts[-1]["finish_reason"] == "stop"
    (turn,) = await anna.turns(THREAD)
    assert (turn["message_id"], turn["reply"], turn["status"]) == ("m1", "Fire is 🔥 warm.", "done")


async def test_a_browser_that_comes_later_sees_the_same(server: PageServer, anna: LoggedIn) -> None:
    """A reload in the middle shows what was written so far, and goes on to the end; nobody has to listen meanwhile."""
    reply = server.engine.enqueue("so far", held=True)
    async with anna.events(THREAD) as events:
        await anna.say(THREAD, "m1", "go on")
        async for event in events:
            if event["type"] == "message":
                break
    async with anna.events(THREAD) as events:
        state = await anext(events)
        (exchange,) = state["exchanges"]
        assert (exchange["running"], exchange["about"]) == (True, "m1")
        assert [message["text"] for message in exchange["messages"]] == ["so far"]
        reply.release()
        await until_ended(events)
    async with anna.events(THREAD) as events:
        assert await anext(events) == {"type": "state", "exchanges": []}


async def test_stop_overtakes_and_keeps_what_was_written(server: PageServer, anna: LoggedIn) -> None:
    """`/stop` is not queued behind the reply it stops."""
    reply = server.engine.enqueue("half a ", held=True)
    async with anna.events(THREAD) as events:
        await anna.say(THREAD, "m1", "talk")
        await reply.written.wait()
        await anna.say(THREAD, "m2", "/stop")
        seen = await until_ended(events, 2)
    assert {event["begun"]["command"] for event in seen if event["type"] == "begun"} == {"", "stop"}
    (turn,) = await anna.turns(THREAD)
    assert (turn["reply"], turn["facts"]["finish_reason"]) == ("half a ", "cancelled")


async def test_an_edited_message_takes_the_place_of_the_old_one(server: PageServer, anna: LoggedIn) -> None:
    """Sent again under the same id, it is answered anew, and what followed is gone."""
    async with anna.events(THREAD) as events:
        for number in range(3):
            await anna.say(THREAD, f"m{number}", f"text {number}")
        await until_ended(events, 3)
        await anna.say(THREAD, "m1", "better", edited=True)
        await until_ended(events)
    assert [(turn["text"], turn["reply"]) for turn in await anna.turns(THREAD)] == [
        ("text 0", "re: text 0"),
        ("better", "re: better"),
    ]


async def test_conversations_are_apart_and_private(server: PageServer, anna: LoggedIn, owner: LoggedIn) -> None:
    """Each thread is a conversation of its own, and the same thread id of another person is another conversation."""
    async with anna.events("thread-1") as one, anna.events("thread-2") as two:
        await anna.say("thread-1", "m1", "bread")
        await anna.say("thread-2", "m2", "soup")
        await asyncio.gather(until_ended(one), until_ended(two))
    assert await owner.turns("thread-1") == []
    listed = (await anna.client.get("/page/conversations")).json()["conversations"]
    assert [each["title"] for each in listed] == ["soup", "bread"]
    found = (await anna.client.get("/page/conversations", params={"search": "BREAD"})).json()["conversations"]
    assert [each["thread"] for each in found] == ["thread-1"]
    assert (await owner.client.get("/page/conversations")).json()["conversations"] == []
    assert (await owner.client.delete("/page/conversations/thread-1")).status_code == 404
    assert (await anna.client.patch("/page/conversations/thread-1", json={"title": "Baking"})).status_code == 204
    assert (await anna.client.delete("/page/conversations/thread-2")).status_code == 204
    listed = (await anna.client.get("/page/conversations")).json()["conversations"]
    assert [each["title"] for each in listed] == ["Baking"]


async def test_a_commands_answer_is_seen_after_a_reload(server: PageServer, anna: LoggedIn) -> None:
    """What a command said is stored nowhere, so it is kept until the next reply is written."""
    async with anna.events(THREAD) as events:
        await anna.say(THREAD, "m1", "/whoami")
        await until_ended(events)
    async with anna.events(THREAD) as events:
        (exchange,) = (await anext(events))["exchanges"]
        assert "web:anna" in exchange["messages"][0]["text"]
        await anna.say(THREAD, "m2", "hello")
        await until_ended(events)
    async with anna.events(THREAD) as events:
        assert (await anext(events))["exchanges"] == []


async def test_a_file_that_is_offered_can_be_fetched_by_its_owner_alone(
    server: PageServer, anna: LoggedIn, owner: LoggedIn
) -> None:
    """`/export` offers files; they are downloaded, never opened, and only by the person they are for."""
    async with anna.events(THREAD) as events:
        await anna.say(THREAD, "m1", "hello")
        await until_ended(events)
        await anna.say(THREAD, "m2", "/export")
        seen = await until_ended(events)
    files = [event["message"]["file"] for event in seen if event["type"] == "message" and event["message"]["file"]]
    assert [file["name"].rpartition(".")[2] for file in files] == ["md", "json"]
    got = await anna.client.get(files[0]["url"])
    assert "hello" in got.text
    assert got.headers["content-disposition"].startswith("attachment")
    assert (await owner.client.get(files[0]["url"])).status_code == 404


async def test_an_upload_comes_with_its_message(server: PageServer, anna: LoggedIn, owner: LoggedIn) -> None:
    """An uploaded file is its owner's to send, and too large a one is refused before it is all there."""
    put = await anna.client.put("/page/uploads", params={"name": "bill.txt", "type": "text/plain"}, content=b"12 eggs")
    file_id = put.json()["id"]
    assert (await owner.say(THREAD, "m1", "/extract bill", files=[file_id])).status_code == 404
    async with anna.events(THREAD) as events:
        assert (await anna.say(THREAD, "m1", "look at this", files=[file_id])).status_code == 202
        begun = [event for event in await until_ended(events) if event["type"] == "begun"]
    assert begun[0]["begun"]["files"] == ["bill.txt"]
    large = await anna.client.put("/page/uploads", params={"name": "x"}, content=bytes(16 * 1024 * 1024 + 1))
    assert large.status_code == 413


async def test_nonsense_is_refused(anna: LoggedIn) -> None:
    """Wrong ids, unknown fields and texts beyond measure are client errors."""
    assert (await anna.say("a", "m1", "short thread")).status_code == 400
    assert (await anna.say(THREAD, "../m1", "path")).status_code == 400
    assert (await anna.say(THREAD, "m1", "x", colour="red")).status_code == 400
    assert (await anna.say(THREAD, "m1", "x" * 200_001)).status_code == 400


async def test_draining_shows_the_end_of_a_reply_first(tmp_path: Path) -> None:
    """A daemon that stops lets the reply be finished, tells the browser, and then closes its stream."""
    async with page_server(tmp_path / "page.db") as server, logged_in(server.url, key=KEY) as anna:
        reply = server.engine.enqueue("the end", held=True)
        async with anna.events(THREAD) as events:
            await anna.say(THREAD, "m1", "talk")
            await reply.written.wait()
            draining = asyncio.create_task(server.adapter.drain())
            reply.release()
            seen = [event async for event in events]
            await draining
        assert seen[-1]["type"] == "ended"


async def test_a_reply_from_before_a_restart_is_shown_where_it_belongs(server: PageServer, anna: LoggedIn) -> None:
    """What the core delivers late is told to whoever listens, under its message; asking for the place says nothing."""
    address = ChatAddress(adapter="web", chat="anna", thread=THREAD, user="anna", reply_to="m1")
    async with anna.events(THREAD) as events:
        assert await anext(events) == {"type": "state", "exchanges": []}
        assert server.adapter.target(address) is not None
        target = server.adapter.target(address)
        await target.send(OutgoingMessage(text="(I was away.)", notice=True))
        await target.send(OutgoingMessage(text="Here it is."))
        seen = await until_ended(events)
    assert [event["type"] for event in seen] == ["begun", "message", "message", "ended"]
    assert (seen[0]["begun"]["about"], seen[0]["begun"]["text"]) == ("m1", "")


async def test_only_an_admin_sees_the_admins_page(server: PageServer, anna: LoggedIn, owner: LoggedIn) -> None:
    """Others are sent away; an admin sees who is logged in, can log others out, and can invite."""
    assert (await anna.client.get("/page/admin/sessions")).status_code == 403
    assert (await anna.client.get("/admin")).headers["location"] == "/"
    sessions = (await owner.client.get("/page/admin/sessions")).json()["sessions"]
    assert {session["user"] for session in sessions} == {"anna", "owner"}
    theirs = next(session["id"] for session in sessions if session["user"] == "anna")
    assert (await owner.client.delete(f"/page/admin/sessions/{theirs}")).status_code == 204
    assert (await anna.client.get("/page/me")).status_code == 401
    invitation = (await owner.client.post("/page/admin/links", json={"name": "ben"})).json()
    async with logged_in(server.url, link=invitation["path"].rpartition("#")[2]) as ben:
        me = (await ben.client.get("/page/me")).json()
        assert (me["name"], me["admin"]) == ("ben", False)


async def test_an_admin_key_is_an_admin_in_the_chat_too(server: PageServer, owner: LoggedIn) -> None:
    """Whoever sees the admin page may also give admin commands."""
    assert ADMIN_KEY
    async with owner.events(THREAD) as events:
        await owner.say(THREAD, "m1", "/whoami")
        seen = await until_ended(events)
    assert any("you are an admin" in event["message"]["text"] for event in seen if event["type"] == "message")
