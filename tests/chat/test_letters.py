"""What admins and new people are told arrives, whatever the platform does at that moment."""

import pytest

from bot.errors import ChatGoneError, NotSentError
from bot.messages import Button
from bot.storage.access_records import Identity
from bot.storage.letter_repository import MOST, LetterRepository
from tests.chat.conftest import OpenBench
from tests.support.chat_bench import ChatBench

ADMIN = {"open": True, "users": {"admin_ids": ["test:root"]}}
TEXT = "The disk is nearly full."


async def left(bench: ChatBench) -> int:
    """How many have not arrived."""
    return len(await LetterRepository(bench.database).all())


def shown(bench: ChatBench, chat: str = "root") -> list[str]:
    """What stands in the private chat."""
    return [message.text for message in bench.told["test", chat].messages.values()] if bench.told else []


async def test_what_was_said_while_the_platform_was_down_arrives_once_it_is_up(open_bench: OpenBench) -> None:
    """In the next process too, with its buttons, and once."""
    async with open_bench(permissions=ADMIN) as bench:
        assert await bench.service.tell_admins(TEXT) == 1
        question = [Button(label="Let in", command="/pairing approve A")]
        await bench.service._letters.post(Identity(adapter="test", user="root"), "root", "Eve asks.", question)
    async with open_bench(permissions=ADMIN) as bench:
        await bench.service._letters.deliver()
        assert bench.told == {}
        bench.connect(buttons=True)
        await bench.service._letters.deliver()
        await bench.service._letters.deliver()
        assert shown(bench) == [TEXT, "Eve asks."]
        assert [*bench.told["test", "root"].messages.values()][1].buttons == tuple(question)
        assert await left(bench) == 0


async def test_what_did_not_get_through_is_sent_again_a_minute_later(open_bench: OpenBench) -> None:
    """The platform refused it: nothing was shown, so there is no copy to be sorry for."""
    async with open_bench(permissions=ADMIN) as bench:
        bench.connect()
        await bench.service.tell_admins("one")
        bench.told["test", "root"].errors_of["send"] = [NotSentError("no route")]
        await bench.service.tell_admins(TEXT)
        await bench.service._letters.deliver()
        assert shown(bench) == ["one"]
        bench.clock.advance(61)
        await bench.service._letters.deliver()
        assert shown(bench) == ["one", TEXT]


async def test_what_may_have_arrived_is_marked_as_a_copy(open_bench: OpenBench) -> None:
    """The answer of the platform was lost, or the process killed while it waited for that."""
    async with open_bench(permissions=ADMIN) as bench:
        bench.connect()
        await bench.service.tell_admins("one")
        target = bench.told["test", "root"]
        target.errors_of["send"], target.lost = [OSError("reset")], True
        await bench.service.tell_admins(TEXT)
        target.lost = False
        bench.clock.advance(61)
        await bench.service._letters.deliver()
        first, copy = shown(bench)[1:]
        assert first == TEXT
        assert copy.startswith(TEXT)
        assert "twice" in copy


async def test_a_chat_that_is_gone_is_told_nothing_any_more(open_bench: OpenBench) -> None:
    """An admin who has blocked the bot is not tried for ever."""
    async with open_bench(permissions=ADMIN) as bench:
        bench.connect()
        await bench.service.tell_admins("one")
        bench.told["test", "root"].errors_of["send"] = [ChatGoneError("blocked")]
        await bench.service.tell_admins(TEXT)
        assert await left(bench) == 0


async def test_only_the_latest_are_kept_for_one_person(open_bench: OpenBench) -> None:
    """Somebody whose platform never comes back does not fill the disk."""
    async with open_bench(permissions=ADMIN) as bench:
        for number in range(MOST + 5):
            await bench.service.tell_admins(str(number))
        kept = await LetterRepository(bench.database).all()
        assert [each.text for each in kept] == [str(number) for number in range(5, MOST + 5)]


async def test_a_database_that_takes_nothing_keeps_no_news_from_anybody(open_bench: OpenBench) -> None:
    """That it is full may be the news."""
    async with open_bench(permissions=ADMIN) as bench:
        bench.connect()
        await bench.database.fetch("PRAGMA query_only = ON")
        await bench.service.tell_admins(TEXT)
        assert shown(bench) == [TEXT]


@pytest.mark.parametrize("fails", [True, False])
async def test_who_was_let_in_hears_of_it(open_bench: OpenBench, fails: bool) -> None:
    """Also where the platform fails at that moment."""
    async with open_bench(permissions={"users": {"admin_ids": ["test:root"]}}) as bench:
        bench.connect()
        await bench.say("hello?", user="eve")
        await bench.say("/whoami", user="root")
        bench.service._letters._messenger.can_reach(Identity(adapter="test", user="eve"), "eve")
        bench.told["test", "eve"].errors_of["send"] = [NotSentError("no route")] if fails else []
        await bench.say("/pairing approve test:eve", user="root")
        bench.clock.advance(61)
        await bench.service._letters.deliver()
        assert [text[:15] for text in shown(bench, "eve")] == ["You are let in."]
