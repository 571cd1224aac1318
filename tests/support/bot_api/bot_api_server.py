"""The server, and the world behind it."""

import asyncio
import contextlib
import itertools
import time
from collections.abc import Callable
from typing import Any, Self

import aiohttp
from aiohttp import web

from tests.support.bot_api import parameters
from tests.support.bot_api.account_methods import AccountMethods
from tests.support.bot_api.api_error import ApiError
from tests.support.bot_api.call import Call
from tests.support.bot_api.chat_methods import ChatMethods
from tests.support.bot_api.fake_chat import FakeChat
from tests.support.bot_api.flood_control import FloodControl
from tests.support.bot_api.stored_message import StoredMessage
from tests.support.bot_api.update_queue import UpdateQueue

TOKEN = "123456789:AAF-a_token_of_the_right_shape_00000000"  # noqa: S105 - nobody's # pragma: allowlist secret
SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 - a header's name


class BotApiServer:
    """Use it as an asynchronous context manager; it listens on `base_url` in between.

    `calls` has every call but getUpdates (those are in `polls`), `messages(chat)` what stands in a chat.
    """

    def __init__(self, *, now: Callable[[], float] = time.monotonic, privacy: bool = True) -> None:
        """`now` is the clock of the flood limits, in seconds; `privacy` is what @BotFather calls privacy mode."""
        self.token = TOKEN
        self.me = {"id": 123456789, "is_bot": True, "first_name": "Hearth", "username": "hearth_test_bot"}
        self.privacy = privacy
        self.plain_webhooks = True
        """A webhook may be plain HTTP, as a local Bot API server allows."""
        self.calls: list[Call] = []
        self.polls: list[Call] = []
        self.chats: dict[int, FakeChat] = {}
        self.files: dict[str, tuple[str, bytes]] = {}
        self.queries: set[str] = set()
        self.answered: dict[str, str] = {}
        """Callback queries that were answered, with the text of the answer."""
        self.menus: dict[tuple[str, str], dict[str, str]] = {}
        """Commands by scope and language."""
        self.webhook = ""
        self.webhook_error = ""
        """What went wrong with the last post."""
        self.updates = UpdateQueue()
        self.flood = FloodControl(now)
        self._now = now
        self._secret = ""
        self._account, self._chat = AccountMethods(self), ChatMethods(self)
        self._messages: list[StoredMessage] = []
        self._ids = itertools.count(1)
        self._injected: list[tuple[str, ApiError | None]] = []
        self._held: dict[str, asyncio.Event] = {}
        self._cut = False
        self._requests: set[asyncio.Task[Any]] = set()
        self._changed = asyncio.Condition()
        self._posting: asyncio.Task[None] | None = None
        self._runner: web.AppRunner | None = None
        self.port = 0

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=60 * 2**20)
        app.router.add_route("*", "/bot{token}/{method}", self._answer)
        app.router.add_get("/file/bot{token}/documents/{file_id}/{name}", self._download)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def stop(self) -> None:
        """Listen no more."""
        assert self._runner is not None
        if self._posting is not None:
            self._posting.cancel()
        for task in self._requests:
            task.cancel()
        await self._runner.cleanup()

    @property
    def base_url(self) -> str:
        """For the bot; its token follows."""
        return f"http://127.0.0.1:{self.port}/bot"

    @property
    def base_file_url(self) -> str:
        """For downloads."""
        return f"http://127.0.0.1:{self.port}/file/bot"

    # People and what they do -------------------------------------------------------------------------------------

    def user(self, name: str, **more: Any) -> dict[str, Any]:
        """A new person."""
        return {"id": 5_000 + next(self._ids), "is_bot": False, "first_name": name, "language_code": "en", **more}

    def private_chat(self, name: str = "Ann") -> FakeChat:
        """A new person's chat with the bot."""
        user = self.user(name)
        return self._add(FakeChat(server=self, id=user["id"], type="private", owner=user))

    def group(
        self, title: str = "Family", *, owner: dict[str, Any] | None = None, supergroup: bool = False
    ) -> FakeChat:
        """A group that the bot is a member of."""
        number = next(self._ids)
        identity = -1_001_000_000_000 - number if supergroup else -4_000 - number
        kind = "supergroup" if supergroup else "group"
        return self._add(FakeChat(server=self, id=identity, type=kind, owner=owner or self.user("Ann"), title=title))

    def channel(self, title: str = "News") -> FakeChat:
        """A channel that the bot is a member of."""
        identity = -1_001_500_000_000 - next(self._ids)
        return self._add(FakeChat(server=self, id=identity, type="channel", owner=self.user("Ann"), title=title))

    def _add(self, chat: FakeChat) -> FakeChat:
        self.chats[chat.id] = chat
        return chat

    # What stands where -------------------------------------------------------------------------------------------

    def messages(self, chat: FakeChat) -> list[StoredMessage]:
        """The bot's messages in a chat that were not deleted, in order."""
        return [each for each in self._messages if each.chat["id"] == chat.id and each.from_bot and not each.deleted]

    def texts(self, chat: FakeChat) -> list[str]:
        """What they say."""
        return [each.text for each in self.messages(chat)]

    def find(self, chat: FakeChat, message_id: int) -> StoredMessage | None:
        """A message of anybody's that was not deleted."""
        found = (each for each in self._messages if each.id == message_id and each.chat["id"] == chat.id)
        return next((each for each in found if not each.deleted), None)

    def store(self, chat: FakeChat, *, sender: dict[str, Any], **fields: Any) -> StoredMessage:
        """Put a message into a chat."""
        message = StoredMessage(
            id=next(self._ids),
            chat=chat.as_json(),
            sender=sender,
            from_bot=sender is self.me,
            date=self.date(),
            **fields,
        )
        message.versions.append(message.text)
        self._messages.append(message)
        if sender is self.me:
            chat.last_speaker = sender["id"]
        return message

    def deliver(self, kind: str, message: StoredMessage, chat: FakeChat) -> None:
        """Tell the bot of a message, unless its privacy mode forbids."""
        if chat.type == "channel":
            self.announce(kind.replace("message", "channel_post"), message.as_json())
        elif not chat.is_group or not self.privacy or self._is_meant(message, chat):
            self.announce(kind, message.as_json())
        chat.last_speaker = message.sender["id"]

    def announce(self, kind: str, content: dict[str, Any]) -> None:
        """Make an update of something."""
        self.updates.add(kind, content)
        self._post_soon()

    def _is_meant(self, message: StoredMessage, chat: FakeChat) -> bool:
        """Apply https://core.telegram.org/bots/features#privacy-mode to a message in a group."""
        service = {"migrate_to_chat_id", "migrate_from_chat_id", "forum_topic_created"} & message.extra.keys()
        reply = message.reply_to is not None and message.reply_to.from_bot
        name = f"@{self.me['username']}"
        commands = [
            message.text[each["offset"] : each["offset"] + each["length"]]
            for each in message.entities
            if each["type"] == "bot_command"
        ]
        general = any("@" not in each for each in commands) and chat.last_speaker == self.me["id"]
        return bool(service or reply or general or name.lower() in message.text.lower())

    def add_file(self, name: str, data: bytes) -> str:
        """Keep a file; returns its id."""
        file_id = f"file{next(self._ids)}"
        self.files[file_id] = (name, data)
        return file_id

    def new_query(self) -> str:
        """The id of a callback query that can be answered."""
        query = f"query{next(self._ids)}"
        self.queries.add(query)
        return query

    @staticmethod
    def date() -> int:
        """Now, as the Bot API writes it."""
        return int(time.time())

    # What goes wrong ---------------------------------------------------------------------------------------------

    def fail(self, method: str, error: ApiError | None, *, times: int = 1) -> None:
        """Answer the next calls of a method with an error; None cuts the connection once the call was carried out."""
        self._injected += [(method, error)] * times

    def flood_wait(self, chat: FakeChat, seconds: int) -> None:
        """Refuse everything in a chat for so long on the server's clock."""
        self.flood.pause(chat.id, seconds)

    def hold(self, method: str) -> asyncio.Event:
        """Answer calls of a method only once the event is set."""
        return self._held.setdefault(method, asyncio.Event())

    def release(self, method: str) -> None:
        """Answer calls of a method again; those that are held stay so until their event is set."""
        self._held.pop(method)

    def cut(self) -> None:
        """The network is gone: what is under way breaks off, and nothing gets through."""
        self._cut = True
        for task in self._requests:
            task.cancel()

    def mend(self) -> None:
        """The network is back."""
        self._cut = False

    def set_webhook(self, url: str, secret: str) -> None:
        """Post updates to `url` from now on; empty ends that."""
        self.webhook, self._secret = url, secret
        self._post_soon()

    # Waiting -----------------------------------------------------------------------------------------------------

    async def until(self, condition: Callable[[], object]) -> None:
        """Return when the calls so far meet `condition`."""
        async with self._changed:
            await self._changed.wait_for(condition)

    def named(self, *methods: str) -> list[Call]:
        """The calls of these methods."""
        return [call for call in self.calls if call.method in methods]

    @property
    def refusals(self) -> list[Call]:
        """Calls that were answered with an error."""
        return [call for call in self.calls if call.error is not None]

    # Requests ----------------------------------------------------------------------------------------------------

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        task = asyncio.current_task()
        assert task is not None
        self._requests.add(task)
        try:
            return await self._dispatch(request)
        except asyncio.CancelledError:
            if request.transport is not None:
                request.transport.abort()
            raise
        finally:
            self._requests.discard(task)

    async def _dispatch(self, request: web.Request) -> web.StreamResponse:
        if self._cut:
            raise asyncio.CancelledError
        method = request.match_info["method"]
        params, files = await parameters.read(request)
        call = Call(method=method, at=self._now(), params=params, files=files)
        (self.polls if method == "getUpdates" else self.calls).append(call)
        await self._tell()
        if method in self._held:
            await self._held[method].wait()
        cuts = False
        try:
            self._check_token(request.match_info["token"])
            cuts = self._inject(method)
            call.result = await self._run(method, params, files)
            status, body = 200, {"ok": True, "result": call.result}
        except ApiError as error:
            call.error = error
            status, body = error.code, error.as_json()
        await self._tell()
        if cuts:
            raise asyncio.CancelledError
        return web.json_response(body, status=status)

    async def _run(self, method: str, params: dict[str, Any], files: dict[str, bytes]) -> Any:
        name = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in method)
        found = getattr(self._account, name, None) or getattr(self._chat, name, None)
        if found is None or name.startswith("_"):
            raise ApiError(404, "Not Found")
        return await (found(params, files) if files else found(params))

    def _check_token(self, token: str) -> None:
        number, _, secret = token.partition(":")
        if not number.isdigit() or not secret:
            raise ApiError(404, "Not Found")
        if token != self.token:
            raise ApiError(401, "Unauthorized")

    def _inject(self, method: str) -> bool:
        for index, (name, error) in enumerate(self._injected):
            if name == method:
                del self._injected[index]
                if error is not None:
                    raise error
                return True
        return False

    async def _download(self, request: web.Request) -> web.StreamResponse:
        self._check_token(request.match_info["token"])
        return web.Response(body=self.files[request.match_info["file_id"]][1])

    def _post_soon(self) -> None:
        if self.webhook and self._posting is None and self.updates.pending:
            self._posting = asyncio.create_task(self._post())

    async def _post(self) -> None:
        """Post what is pending, one after the other; a post that fails is repeated, as the real server does."""
        headers = {SECRET_HEADER: self._secret} if self._secret else {}
        async with aiohttp.ClientSession() as session:
            while self.webhook and self.updates.pending:
                with contextlib.suppress(aiohttp.ClientError):
                    async with session.post(self.webhook, json=self.updates.pending[0], headers=headers) as answer:
                        if answer.status == 200:
                            self.updates.pop()
                await asyncio.sleep(0)
        self._posting = None

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()
