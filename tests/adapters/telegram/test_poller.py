"""Fetching messages, and what gets in the way."""

import asyncio
import logging

import pytest

from adapters.telegram import TelegramAdapter
from bot.adapter import ReplyTarget
from bot.errors import PermanentAdapterError, RetryableAdapterError
from bot.messages import IncomingMessage, OutgoingMessage
from tests.adapters.telegram.conftest import OpenAdapter, telegram_settings
from tests.support.bot_api import ApiError, BotApiServer, FakeChat
from tests.support.fake_clock import FakeClock
from tests.support.scripted_core import ScriptedCore

CONFLICT = ApiError(409, "Conflict: terminated by other getUpdates request")


async def start_error(server: BotApiServer, **section: object) -> Exception:
    """What a start raises."""
    adapter = TelegramAdapter(name="telegram", settings=telegram_settings(server, **section), core=ScriptedCore())
    try:
        await adapter.start()
    except Exception as error:  # noqa: BLE001 - whatever it is, the test looks at it
        return error
    finally:
        await adapter.aclose()
    raise AssertionError("it has started")


async def _say_unstored(core: ScriptedCore, chat: FakeChat, clock: FakeClock) -> None:
    """A message comes while nothing can be stored, and the poller waits for that, half a minute at most."""
    core.storing.clear()
    await chat.server.until(lambda: chat.server.updates.polled)
    chat.say("one")
    await core.until(1)
    await clock.asleep_for(30)


async def test_a_wrong_token_is_permanent(server: BotApiServer) -> None:
    """The owner is told which key it is and where a token comes from, and the token is not shown."""
    token = "987654321:AAF-a_token_of_nobody_at_all_0000000000"  # noqa: S105 # pragma: allowlist secret - nobody's
    error = await start_error(server, token=token)
    assert isinstance(error, PermanentAdapterError)
    assert "adapters.telegram.token" in str(error)
    assert "@BotFather" in str(error)
    assert token not in str(error)


async def test_a_malformed_token_is_permanent(server: BotApiServer) -> None:
    """Telegram answers 404 to what does not even look like one."""
    assert isinstance(await start_error(server, token="secret"), PermanentAdapterError)  # noqa: S106 - nobody's


async def test_no_network_is_retryable(server: BotApiServer) -> None:
    """Whether nobody listens or the connection breaks."""
    server.cut()
    assert isinstance(await start_error(server), RetryableAdapterError)
    await server.stop()
    error = await start_error(server)
    assert isinstance(error, RetryableAdapterError)
    assert "cannot be reached" in str(error)


async def test_a_second_poller_at_the_start_is_said_clearly(server: BotApiServer) -> None:
    """It may be an old daemon that is about to end, so it is tried again; the text says what to do."""
    server.fail("getUpdates", CONFLICT)
    error = await start_error(server)
    assert isinstance(error, RetryableAdapterError)
    assert "another program" in str(error)
    assert "stop the other one" in str(error)


async def test_a_second_poller_ends_the_adapter_after_three_answers(
    server: BotApiServer, open_adapter: OpenAdapter, clock: FakeClock
) -> None:
    """Two daemons with one token would each get some of the messages; one conflict alone may pass."""
    async with open_adapter(ScriptedCore()) as adapter:
        waiting = asyncio.ensure_future(adapter.wait())
        for pause in (1, 2):
            await server.until(lambda: server.updates.polled)
            await server.updates.get(offset=0, limit=1, timeout_s=0)
            await clock.asleep_for(pause)
            clock.advance(pause)
        await server.until(lambda: server.updates.polled)
        await server.updates.get(offset=0, limit=1, timeout_s=0)
        with pytest.raises(RetryableAdapterError, match="another program"):
            await waiting


async def test_a_conflict_that_passes_is_forgotten(
    server: BotApiServer, open_adapter: OpenAdapter, clock: FakeClock
) -> None:
    """After a restart the old request may linger at Telegram."""
    ann = server.private_chat()
    async with open_adapter(ScriptedCore()):
        for number in range(4):
            await server.until(lambda: server.updates.polled)
            server.fail("getUpdates", CONFLICT)
            ann.say(f"wake {number}")
            await server.until(lambda expected=number + 1: len(server.messages(ann)) == expected)
            await clock.asleep_for(1)
            clock.advance(1)


async def test_a_network_that_comes_back_brings_the_messages(
    server: BotApiServer, open_adapter: OpenAdapter, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    """Pauses grow to half a minute; one warning is written, not one a second; the core knows of it after a minute."""
    caplog.set_level(logging.INFO, "adapters.telegram")
    ann, core = server.private_chat(), ScriptedCore()
    async with open_adapter(core):
        await server.until(lambda: server.updates.polled)
        server.cut()
        for pause in (1, 2, 4, 8, 16, 30, 30):
            await clock.asleep_for(pause)
            clock.advance(pause)
        await clock.asleep_for(30)
        assert [(name, phase) for name, phase, _ in core.phases] == [("telegram", "retrying")]
        ann.say("Are you there?")
        server.mend()
        clock.advance(30)
        await server.until(lambda: server.texts(ann) == ["Are you there?"])
        assert "telegram" in core.platforms
    told = [record.getMessage() for record in caplog.records if record.name.endswith("poller")]
    assert len(told) == 2
    assert "trying again" in told[0]
    assert told[1] == "Telegram answers again"


async def test_a_pause_that_telegram_asks_for_is_kept(
    server: BotApiServer, open_adapter: OpenAdapter, clock: FakeClock
) -> None:
    """A 429 to polling itself is waited out, to the second."""
    ann = server.private_chat()
    async with open_adapter(ScriptedCore()):
        await server.until(lambda: server.updates.polled)
        server.fail("getUpdates", ApiError(429, "Too Many Requests: retry after 17", {"retry_after": 17}))
        ann.say("Hello")
        await server.until(lambda: server.messages(ann))
        await clock.asleep_for(17)
        polls = len(server.polls)
        clock.advance(16.9)
        assert len(server.polls) == polls
        clock.advance(0.1)
        await server.until(lambda: len(server.polls) > polls)


async def test_polling_that_hangs_is_started_anew(
    server: BotApiServer, open_adapter: OpenAdapter, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    """After two minutes in which nothing was heard, there is a new connection and messages come again."""
    ann = server.private_chat()
    async with open_adapter(ScriptedCore()):
        await server.until(lambda: server.updates.polled)
        hanging = server.hold("getUpdates")
        ann.say("one")
        await server.until(lambda: server.messages(ann))
        await server.until(lambda: not server.updates.polled and server.polls[-1].result is None)
        ann.say("two")
        await clock.asleep_for(120)
        clock.advance(119)
        server.release("getUpdates")
        clock.advance(1)
        await server.until(lambda: len(server.messages(ann)) == 2)
        hanging.set()
    assert any("nothing heard from Telegram for 120 s" in record.getMessage() for record in caplog.records)


async def test_a_token_that_is_revoked_ends_the_adapter(server: BotApiServer, open_adapter: OpenAdapter) -> None:
    """For good: the owner has to put in the new one."""
    async with open_adapter(ScriptedCore()) as adapter:
        waiting = asyncio.ensure_future(adapter.wait())
        await server.until(lambda: server.updates.polled)
        server.fail("getUpdates", ApiError(401, "Unauthorized"))
        server.private_chat().say("wake")
        with pytest.raises(PermanentAdapterError):
            await waiting


async def test_an_update_that_nobody_can_read_is_left_out(
    server: BotApiServer, open_adapter: OpenAdapter, caplog: pytest.LogCaptureFixture
) -> None:
    """It is confirmed like the others, and those before and behind it are answered."""
    core = ScriptedCore()
    ann = server.private_chat()
    ann.say("before")
    server.updates.add_raw(message={"message_id": "x", "chat": 5})
    server.updates.add_raw(message="nonsense")
    server.updates.add_raw(unheard_of={"a": 1})
    server.updates.add_raw(callback_query={"id": "1"})
    ann.say("behind")
    async with open_adapter(core):
        await server.until(lambda: len(server.messages(ann)) == 2)
    assert [message.text for message in core.received] == ["before", "behind"]
    assert not server.updates.pending
    assert any("cannot be read" in record.getMessage() for record in caplog.records)


async def test_a_message_whose_answer_fails_is_not_fetched_again(
    server: BotApiServer, open_adapter: OpenAdapter, caplog: pytest.LogCaptureFixture
) -> None:
    """A crash of the handler costs that one answer, and is logged."""

    async def crash(_message: IncomingMessage, _target: object) -> None:
        raise ZeroDivisionError

    core = ScriptedCore(crash)
    ann = server.private_chat()
    async with open_adapter(core):
        ann.say("crash")
        ann.say("go on")
        await server.until(lambda: server.texts(ann) == ["go on"])
    assert [message.text for message in core.received] == ["crash", "go on"]
    assert not server.updates.pending
    assert "an update failed" in caplog.text


async def test_chats_do_not_wait_for_each_other(server: BotApiServer, open_adapter: OpenAdapter) -> None:
    """While one answer takes long, others in the same chat and elsewhere are begun, in their order."""
    release = asyncio.Event()

    async def slow(_message: IncomingMessage, _target: object) -> None:
        await release.wait()

    core = ScriptedCore(slow)
    ann, ben = server.private_chat("Ann"), server.private_chat("Ben")
    async with open_adapter(core):
        ann.say("slow")
        ann.say("/stop")
        ben.say("hello")
        await server.until(lambda: server.messages(ann) and server.messages(ben))
        assert [message.text for message in core.received] == ["slow", "/stop", "hello"]
        release.set()


async def test_intake_is_bounded(server: BotApiServer, open_adapter: OpenAdapter) -> None:
    """What is too much waits at Telegram, unconfirmed, and is taken when there is room."""
    release = asyncio.Event()

    async def slow(_message: IncomingMessage, _target: object) -> None:
        await release.wait()

    core = ScriptedCore(slow, slow)
    ann = server.private_chat()
    async with open_adapter(core, max_updates=2):
        for number in range(4):
            ann.say(str(number))
        await core.until(2)
        assert len(core.received) == 2
        assert server.updates.pending
        release.set()
        await server.until(lambda: server.texts(ann) == ["2", "3"])
    assert not server.updates.pending


async def test_nothing_is_confirmed_before_it_is_stored(
    server: BotApiServer, open_adapter: OpenAdapter, clock: FakeClock
) -> None:
    """A process that is killed in between gets the message again."""
    core, ann = ScriptedCore(), server.private_chat()
    async with open_adapter(core):
        await _say_unstored(core, ann, clock)
        assert server.polls[-1].result is not None
        ann.say("two")
        assert [update["message"]["text"] for update in server.updates.pending] == ["one", "two"]
        core.storing.set()
        await server.until(lambda: server.texts(ann) == ["one", "two"])
        await server.until(lambda: not server.updates.pending)
    assert [message.text for message in core.received] == ["one", "two"]


async def test_what_is_stored_is_confirmed_also_before_it_is_answered(
    server: BotApiServer, open_adapter: OpenAdapter
) -> None:
    """The end of an answer is not waited for."""
    release = asyncio.Event()

    async def slow(_message: IncomingMessage, _target: object) -> None:
        await release.wait()

    ann = server.private_chat()
    async with open_adapter(ScriptedCore(slow)):
        ann.say("one")
        await server.until(lambda: not server.updates.pending)
        release.set()


async def test_a_storage_that_hangs_makes_nobody_deaf_for_ever(
    server: BotApiServer, open_adapter: OpenAdapter, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    """After half a minute the next messages are fetched, and the log says so."""
    core, ann = ScriptedCore(), server.private_chat()
    async with open_adapter(core):
        await _say_unstored(core, ann, clock)
        clock.advance(30)
        ann.say("two")
        await core.until(2)
        core.storing.set()
        await server.until(lambda: server.texts(ann) == ["one", "two"])
    assert "1 messages are not stored after 30 s" in caplog.text


async def test_drain_confirms_only_what_is_stored(server: BotApiServer) -> None:
    """What is not comes again at the next start."""
    core = ScriptedCore()
    ann = server.private_chat()
    adapter = TelegramAdapter(name="telegram", settings=telegram_settings(server), core=core)
    await adapter.start()
    ann.say("one")
    await server.until(lambda: server.texts(ann) == ["one"])
    core.storing.clear()
    ann.say("two")
    await core.until(2)
    draining = asyncio.ensure_future(adapter.drain())
    await server.until(lambda: server.polls[-1].params.get("limit") == "1" and server.polls[-1].result is not None)
    assert [update["message"]["text"] for update in server.updates.pending] == ["two"]
    core.storing.set()
    await draining
    await adapter.aclose()


async def test_drain_confirms_and_finishes(server: BotApiServer) -> None:
    """Nothing new is taken in, what was taken in is answered, and it does not come again."""
    release = asyncio.Event()

    async def slow(message: IncomingMessage, target: ReplyTarget) -> None:
        await release.wait()
        await target.send(OutgoingMessage(text=message.text))

    core = ScriptedCore(slow)
    ann = server.private_chat()
    adapter = TelegramAdapter(name="telegram", settings=telegram_settings(server), core=core)
    await adapter.start()
    ann.say("one")
    await core.until(1)
    draining = asyncio.ensure_future(adapter.drain())
    await server.until(lambda: server.polls[-1].params.get("limit") == "1" and server.polls[-1].result is not None)
    ann.say("two")
    assert not draining.done()
    release.set()
    await draining
    await adapter.aclose()
    assert server.texts(ann) == ["one"]
    assert [update["message"]["text"] for update in server.updates.pending] == ["two"]


async def test_everything_goes_through_the_proxy(server: BotApiServer, open_adapter: OpenAdapter) -> None:
    """Also where this machine could not find Telegram by itself."""
    ann = server.private_chat()
    there = {"base_url": "http://telegram.invalid/bot", "base_file_url": "http://telegram.invalid/file/bot"}
    async with open_adapter(ScriptedCore(), proxy=f"http://127.0.0.1:{server.port}", **there):
        ann.say("Hello")
        await server.until(lambda: server.texts(ann) == ["Hello"])
