"""As much of Discord as a bot needs to sign in, stay connected and write: its REST API and its gateway, on loopback.

Written from https://discord.com/developers/docs, strict where a bot can go wrong: the token, the intents, the length
of a message, five messages or edits in five seconds in a channel, a message that is not there.
"""

import asyncio
import itertools
import json
import time
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Self

from aiohttp import WSMsgType, web

TOKEN = "the-token"  # noqa: S105 - of the fake
APPLICATION = 4242
MESSAGE_CONTENT = 1 << 15
LIMITED_MESSAGE_CONTENT = 1 << 19
WINDOW_S, WINDOW_CALLS = 5.0, 5
EPOCH_MS = 1420070400000

Answer = tuple[int, Any, dict[str, str]]
"""Status, JSON and headers."""
_NOT_FOUND: Answer = (404, {"message": "404: Not Found", "code": 0}, {})


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request, in the order of arrival."""

    at: float
    """Seconds on the monotonic clock."""
    method: str
    path: str
    body: Any
    status: int


@dataclass(slots=True, kw_only=True)
class FakeDiscord:
    """One bot account and the direct chats of any number of people."""

    message_content: bool = True
    """Whether the intent is switched on in the Developer Portal."""
    calls: list[Call] = field(default_factory=list)
    channels: dict[str, dict[str, dict[str, Any]]] = field(default_factory=lambda: defaultdict(dict))
    """Messages as they stand, by channel and id."""
    servers: tuple[str, ...] = ()
    """Names, for who asks; nothing happens on them."""
    identified: int = 0
    resumed: int = 0
    refused: int = 0
    """Calls that were too many in too short a time."""
    broken_off: int = 0
    """Requests that did not get through."""
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    base: str = ""
    gateway: str = ""
    _ids: Any = field(default_factory=lambda: itertools.count(1))
    _socket: web.WebSocketResponse | None = None
    _sequence: int = 0
    _sent: list[tuple[int, str, Any]] = field(default_factory=list)
    _paused: dict[str, float] = field(default_factory=dict)
    _transports: set[asyncio.Transport] = field(default_factory=set)
    _cut: bool = False
    _recent: dict[str, deque[float]] = field(default_factory=lambda: defaultdict(deque))

    @classmethod
    @asynccontextmanager
    async def serve(cls, **fields: Any) -> AsyncIterator[Self]:
        """Listen on a free port of loopback."""
        fake = cls(**fields)
        app = web.Application()
        app.router.add_get("/gateway/", fake._talk)
        app.router.add_route("*", "/api/v10/{path:.*}", fake._answer)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        fake.base = f"http://127.0.0.1:{port}/api/v10"
        fake.gateway = f"ws://127.0.0.1:{port}/gateway/"
        try:
            yield fake
        finally:
            await runner.cleanup()

    async def say(self, text: str, *, user: str, channel: str) -> str:
        """Somebody writes to the bot in their direct chat; return the message's id."""
        message = self._message(channel, text, author=_person(user))
        await self.event("MESSAGE_CREATE", message)
        return str(message["id"])

    async def event(self, name: str, data: Any) -> None:
        """Send an event, now or when the bot has come back."""
        self._sequence += 1
        self._sent.append((self._sequence, name, data))
        if self._socket is not None and not self._socket.closed:
            await self._socket.send_json({"op": 0, "t": name, "s": self._sequence, "d": data})

    async def drop(self, code: int = 4000) -> None:
        """Close the gateway's connection."""
        assert self._socket is not None
        socket, self._socket = self._socket, None
        await socket.close(code=code)

    def pause(self, channel: str, seconds: float) -> None:
        """Refuse everything in a channel for so long."""
        self._paused[channel] = time.monotonic() + seconds

    def cut(self) -> None:
        """The network is gone: what is under way breaks off, and nothing gets through."""
        self._cut = True
        for transport in self._transports:
            transport.abort()

    def mend(self) -> None:
        """The network is back."""
        self._cut = False

    async def until(self, condition: Any) -> None:
        """Return when `condition()` holds."""
        async with self.changed:
            await self.changed.wait_for(condition)

    def texts(self, channel: str) -> list[str]:
        """What the bot's messages in a channel say now."""
        return [each["content"] for each in self.channels[channel].values() if each["author"]["id"] == str(APPLICATION)]

    async def _reach(self, request: web.Request) -> None:
        """Raise `CancelledError` where the network is cut."""
        assert request.transport is not None
        self._transports.add(request.transport)
        if self._cut:
            self.broken_off += 1
            await self._tell()
            request.transport.abort()
            raise asyncio.CancelledError

    async def _talk(self, request: web.Request) -> web.WebSocketResponse:
        await self._reach(request)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_json({"op": 10, "d": {"heartbeat_interval": 41250}, "s": None, "t": None})
        async for frame in socket:
            if frame.type is WSMsgType.TEXT:
                await self._hear(socket, json.loads(frame.data))
        return socket

    async def _hear(self, socket: web.WebSocketResponse, message: dict[str, Any]) -> None:
        match message["op"]:
            case 1:
                await socket.send_json({"op": 11, "d": None, "s": None, "t": None})
            case 2 if message["d"]["token"] != TOKEN:
                await socket.close(code=4004)
            case 2 if message["d"]["intents"] & MESSAGE_CONTENT and not self.message_content:
                await socket.close(code=4014)
            case 2:
                self._socket = socket
                self.identified += 1
                ready = {
                    "v": 10,
                    "user": self._me(),
                    "guilds": [],
                    "session_id": "s",
                    "resume_gateway_url": self.gateway,
                    "application": {"id": str(APPLICATION), "flags": 0},
                }
                await self.event("READY", ready)
            case 6:
                self._socket = socket
                self.resumed += 1
                for sequence, name, data in self._sent:
                    if sequence > message["d"]["seq"]:
                        await socket.send_json({"op": 0, "t": name, "s": sequence, "d": data})
                await self.event("RESUMED", {})
        await self._tell()

    async def _answer(self, request: web.Request) -> web.Response:
        await self._reach(request)
        body = await request.json() if request.can_read_body and request.content_type == "application/json" else None
        status, answer, headers = self._decide(request.method, request.match_info["path"].split("/"), body, request)
        self.calls.append(Call(at=time.monotonic(), method=request.method, path=request.path, body=body, status=status))
        await self._tell()
        if answer is None:
            return web.Response(status=status, headers=headers)
        # discord.py takes no other spelling of the type.
        headers = {**headers, "Content-Type": "application/json"}
        return web.Response(body=json.dumps(answer), status=status, headers=headers)

    def _decide(self, method: str, path: list[str], body: Any, request: web.Request) -> Answer:
        if request.headers.get("Authorization") != f"Bot {TOKEN}":
            return 401, {"message": "401: Unauthorized", "code": 0}, {}
        if method == "GET":
            return self._tell_of(path, request.query)
        answer = _NOT_FOUND
        match method, path:
            case "PUT", ["applications", _, "commands"]:
                answer = (200, [], {})
            case "POST", ["channels", _, "typing"]:
                answer = (204, None, {})
            case "POST", ["channels", channel, "messages"]:
                answer = self._write(channel, None, body)
            case "PATCH", ["channels", channel, "messages", message_id]:
                answer = self._write(channel, message_id, body)
            case "DELETE", ["channels", channel, "messages", message_id]:
                self.channels[channel].pop(message_id, None)
                answer = (204, None, {})
        return answer

    def _tell_of(self, path: list[str], query: Mapping[str, str]) -> Answer:
        match path:
            case ["channels", channel]:
                last = max(self.channels[channel], key=int, default=None)
                return 200, {"id": channel, "type": 1, "last_message_id": last, "recipients": [_person("7")]}, {}
            case ["channels", channel, "messages"]:
                after = int(query.get("after", 0))
                found = [each for number, each in self.channels[channel].items() if int(number) > after]
                return 200, found[: int(query["limit"])][::-1], {}
            case ["users", "@me"]:
                return 200, self._me(), {}
            case ["users", "@me", "guilds"]:
                return 200, [{"id": "9", "name": each, "icon": None, "features": []} for each in self.servers], {}
            case ["oauth2", "applications", "@me"]:
                return 200, self._application(), {}
        return _NOT_FOUND

    def _write(self, channel: str, message_id: str | None, body: Any) -> Answer:
        wait_s, headers = self._limit(channel)
        if wait_s:
            self.refused += 1
            return 429, {"message": "You are being rate limited.", "retry_after": wait_s, "global": False}, headers
        if not 0 < len(body["content"].strip()) <= len(body["content"]) <= 2000:
            return 400, {"message": "Invalid Form Body", "code": 50035}, headers
        if message_id is None:
            return 200, self._message(channel, body["content"], author=self._me(), **_given(body)), headers
        if message_id not in self.channels[channel]:
            return 404, {"message": "Unknown Message", "code": 10008}, headers
        self.channels[channel][message_id].update(content=body["content"], **_given(body))
        return 200, self.channels[channel][message_id], headers

    def _limit(self, channel: str) -> tuple[float, dict[str, str]]:
        now, recent = time.monotonic(), self._recent[channel]
        while recent and recent[0] <= now - WINDOW_S:
            recent.popleft()
        wait_s = WINDOW_S - (now - recent[0]) if len(recent) >= WINDOW_CALLS else 0.0
        wait_s = max(wait_s, self._paused.get(channel, now) - now)
        if not wait_s:
            recent.append(now)
        reset_s = WINDOW_S - (now - recent[0]) if recent else WINDOW_S
        return wait_s, {
            "X-RateLimit-Limit": str(WINDOW_CALLS),
            "X-RateLimit-Remaining": str(WINDOW_CALLS - len(recent)),
            "X-RateLimit-Reset": f"{time.time() + reset_s:.3f}",
            "X-RateLimit-Reset-After": f"{reset_s:.3f}",
            "X-RateLimit-Bucket": "messages",
            "Via": "1.1 fake",
        }

    def _message(self, channel: str, text: str, *, author: dict[str, Any], **more: Any) -> dict[str, Any]:
        message = {
            "id": str((int(time.time() * 1000) - EPOCH_MS) << 22 | next(self._ids)),
            "channel_id": channel,
            "content": text,
            "author": author,
            "timestamp": "2026-01-01T00:00:00+00:00",
            "edited_timestamp": None,
            "type": 0,
            "tts": False,
            "mention_everyone": False,
            "pinned": False,
            "mentions": [],
            "mention_roles": [],
            "attachments": [],
            "embeds": [],
            "components": [],
            **more,
        }
        self.channels[channel][message["id"]] = message
        return message

    def _application(self) -> dict[str, Any]:
        return {
            "id": str(APPLICATION),
            "name": "hearth",
            "description": "",
            "icon": None,
            "flags": LIMITED_MESSAGE_CONTENT if self.message_content else 0,
            "bot_public": True,
            "bot_require_code_grant": False,
            "verify_key": "",
            "owner": {"id": "1", "username": "owner", "discriminator": "0", "avatar": None},
        }

    @staticmethod
    def _me() -> dict[str, Any]:
        return {"id": str(APPLICATION), "username": "hearth", "discriminator": "0", "avatar": None, "bot": True}

    async def _tell(self) -> None:
        async with self.changed:
            self.changed.notify_all()


def _given(body: dict[str, Any]) -> dict[str, Any]:
    return {"components": body["components"]} if body.get("components") is not None else {}


def _person(user: str) -> dict[str, Any]:
    return {"id": user, "username": f"user{user}", "discriminator": "0", "avatar": None}
