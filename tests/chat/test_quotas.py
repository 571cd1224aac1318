"""How much each person may have."""

from datetime import UTC
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.chat.quotas import Quotas, next_at
from bot.settings import QuotaSettings
from bot.storage.usage_repository import Use
from tests.chat.conftest import OpenBench
from tests.support.chat_bench import ChatBench

HOUR = 3600.0


def limited(**quotas: Any) -> dict[str, Any]:
    """Settings under which everybody may talk, but not as much as they like."""
    return {"permissions": {"open": True, "users": {"admin_ids": ["test:root"]}, "quotas": quotas}}


async def test_messages_within_an_hour_are_counted(open_bench: OpenBench) -> None:
    """The third of two is refused before it is stored, with the time of the next; then there is room for one again."""
    async with open_bench(**limited(messages_per_hour=2)) as bench:
        await bench.say("a")
        bench.clock.advance(600)
        await bench.say("b")
        target = await bench.say("c")
        assert target.errors == ["quota_exceeded"]
        assert "the 2 answers that I may give one person in an hour" in target.reply
        assert "Please try again in 50 minutes, at " in target.reply
        assert len(await bench.stored()) == 2
        bench.clock.advance(HOUR - 600)
        assert (await bench.say("d")).reply == "re: d"
        assert (await bench.say("e")).errors == ["quota_exceeded"]


async def test_the_count_outlives_a_restart_and_a_change_of_settings(open_bench: OpenBench) -> None:
    """It is in the database, and apart from what /forget deletes."""
    async with open_bench(**limited(messages_per_day=2)) as bench:
        await bench.say("a")
    async with open_bench(**limited(messages_per_day=2)) as bench:
        await bench.say("b")
        await bench.say("/forget")
        await bench.say("/forget confirm")
        assert "about 24 hours" in (await bench.say("c")).reply


async def test_every_way_to_have_something_written_counts(open_bench: OpenBench) -> None:
    """Another try and a continuation cost as much as a message; commands that ask nothing of the model are free."""
    async with open_bench(**limited(messages_per_hour=3)) as bench:
        await bench.say("a")
        await bench.say("/retry")
        await bench.say("/continue")
        assert (await bench.say("/status")).errors == []
        before = await bench.stored()
        assert (await bench.say("/retry")).errors == ["quota_exceeded"]
        assert (await bench.say("/continue")).errors == ["quota_exceeded"]
        assert await bench.stored() == before


async def test_tokens_are_those_that_were_newly_read_and_written(open_bench: OpenBench) -> None:
    """A reply that was begun is finished; what was in the cache costs nothing."""
    async with open_bench(**limited(tokens_per_hour=20)) as bench:
        await bench.say("a b c")  # the persona's 4, 5 of the message, 1 to open the reply; 4 written
        await bench.say("d")  # of the 9, 10 and so on only what is new
        (first, second) = await bench.database.fetch("SELECT tokens FROM usage ORDER BY id")
        assert first["tokens"] == 14
        assert second["tokens"] < 10
        await bench.say("e")
        assert "as much as I may for one person in an hour" in (await bench.say("f")).reply


async def test_reading_a_text_out_counts(open_bench: OpenBench) -> None:
    """/extract asks the model, too."""
    async with open_bench(**limited(messages_per_hour=1), engine={"n_ctx": 2000}) as bench:
        bench.engine.enqueue('{"name": "Ann"}')
        assert (await bench.say("/extract name ; I am Ann")).errors == []
        (use,) = await bench.database.fetch("SELECT tokens FROM usage")
        assert use["tokens"] > 0
        assert (await bench.say("/extract name ; I am Ann")).errors == ["quota_exceeded"]


async def test_what_failed_does_not_count(open_bench: OpenBench) -> None:
    """Nobody pays for a reply that they did not get."""
    async with open_bench(**limited(messages_per_hour=1)) as bench:
        assert (await bench.say("long " * 500)).errors == ["context_length_exceeded"]
        assert (await bench.say("a")).reply == "re: a"


async def test_admins_are_exempt_unless_they_are_not(open_bench: OpenBench) -> None:
    """The owner decides whether the limits hold for all."""
    async with open_bench(**limited(messages_per_hour=1)) as bench:
        await bench.say("a", user="root")
        assert (await bench.say("b", user="root")).errors == []
    async with open_bench(**limited(messages_per_hour=1, admins=True)) as bench:
        await bench.say("a", user="root")
        assert (await bench.say("b", user="root")).errors == ["quota_exceeded"]


async def test_others_have_their_own(open_bench: OpenBench) -> None:
    """One person's use is nobody else's."""
    async with open_bench(**limited(messages_per_hour=1)) as bench:
        await bench.say("a")
        assert (await bench.say("b", user="bob")).errors == []


async def test_waiting_messages_are_counted_over_all_chats(open_bench: OpenBench) -> None:
    """Whoever has as many as may wait is told so at once, and commands still go through."""
    async with open_bench(**limited(waiting=2)) as bench:
        reply = bench.engine.enqueue("one", held=True)
        tasks = [bench.start("a")[0], bench.start("b")[0]]
        await reply.written.wait()
        other = bench.engine.enqueue("two", held=True)
        tasks += [bench.start("c", chat="x")[0], bench.start("d", chat="x")[0]]
        await other.written.wait()
        assert "2 messages of yours" in (await bench.say("e", chat="y")).reply
        assert (await bench.say("/new", chat="y")).errors == []
        assert (await bench.say("f", user="bob")).errors == []
        reply.release()
        other.release()
        for task in tasks:
            await task


async def test_a_clock_that_was_ahead_locks_nobody_out(open_bench: OpenBench) -> None:
    """What was noted for the future is dropped when the clock is right again."""
    async with open_bench(**limited(messages_per_day=1)) as bench:
        bench.clock.advance(HOUR * 24 * 365)
        await bench.say("a")
        bench.clock.advance(-HOUR * 24 * 365)
        assert (await bench.say("b")).errors == []


def test_times_are_told_as_people_tell_them(bench: ChatBench) -> None:
    """Minutes up to an hour and a half, then hours, and the day where it is another."""
    composer_made = bench.service._parts.quotas
    quotas = Quotas(
        QuotaSettings(), usage=composer_made._usage, links=composer_made._links, clock=bench.clock, zone=UTC
    )
    noon = 1_800_014_400_000 - 1_800_014_400_000 % 86_400_000 + 43_200_000
    assert quotas._when(noon + 60_000, noon) == "in 1 minute, at 12:01"
    assert quotas._when(noon + 89 * 60_000, noon) == "in 89 minutes, at 13:29"
    assert quotas._when(noon + 180 * 60_000, noon) == "in about 3 hours, at 15:00"
    assert quotas._when(noon + 20 * 3_600_000, noon) == "in about 20 hours, tomorrow at 08:00"


@given(
    uses=st.lists(st.tuples(st.integers(0, 200), st.integers(0, 50)), max_size=30),
    limit=st.integers(1, 100),
    window=st.integers(1, 150),
)
def test_the_time_that_is_told_is_the_first_with_room(uses: list[tuple[int, int]], limit: int, window: int) -> None:
    """At that millisecond something may be asked, and at the one before it may not."""
    noted = [Use(at_ms=at, tokens=tokens) for at, tokens in sorted(uses)]

    def asked(now_ms: int) -> int | None:
        return next_at(noted, now_ms=now_ms, window_ms=window, limit=limit, weight=lambda use: use.tokens)

    again = asked(200)
    if again is not None:
        assert asked(again) is None
        assert asked(again - 1) is not None


@pytest.mark.parametrize("key", ["messages_per_hour", "tokens_per_day", "waiting"])
def test_no_limit_is_below_one(key: str) -> None:
    """Whoever may have nothing is blocked instead."""
    with pytest.raises(ValueError, match="greater than 0"):
        QuotaSettings.model_validate({key: 0})
