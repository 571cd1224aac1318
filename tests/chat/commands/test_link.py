"""/link: one person on two platforms."""

import re

from bot.chat.codes import new_code
from tests.chat.conftest import OpenBench
from tests.support.chat_bench import ChatBench


async def offered(bench: ChatBench, **where: str) -> str:
    """Ask for a code."""
    found = re.search(r"/link (\S+)$", (await bench.say("/link", **where)).reply)
    assert found is not None
    return found[1]


async def link(bench: ChatBench) -> None:
    """Link Ann's account on another platform with the one here."""
    code = await offered(bench)
    assert "linked with test:ann" in (await bench.say(f"/link {code}", adapter="other", user="ann7", chat="c7")).reply


async def test_the_conversation_goes_on_on_the_other_platform(bench: ChatBench) -> None:
    """Both write into one history, in one line, as one user of the engine."""
    await bench.say("here")
    await link(bench)
    await bench.say("there", adapter="other", user="ann7", chat="c7")
    await bench.say("here again")
    assert bench.engine.prompts[-1] == ["Be kind.", "here", "re: here", "there", "re: there", "here again"]
    assert {request.user for request in bench.engine.history} == {"test:ann"}
    assert len(await bench.stored()) == 3


async def test_groups_and_other_chats_stay_apart(bench: ChatBench) -> None:
    """Only the private chat in which the code was entered goes on with the other's."""
    await link(bench)
    await bench.say("private", adapter="other", user="ann7", chat="c7")
    await bench.say("group", adapter="other", user="ann7", chat="hall", direct=False)
    assert bench.engine.prompts[-1] == ["Be kind.", "group"]


async def test_unlinking_gives_each_its_own_back(bench: ChatBench) -> None:
    """What the second account had before the link was kept."""
    await bench.say("mine", adapter="other", user="ann7", chat="c7")
    await link(bench)
    await bench.say("ours", adapter="other", user="ann7", chat="c7")
    assert bench.engine.prompts[-1] == ["Be kind.", "ours"]
    assert "Done" in (await bench.say("/link off")).reply
    await bench.say("mine again", adapter="other", user="ann7", chat="c7")
    assert bench.engine.prompts[-1] == ["Be kind.", "mine", "re: mine", "mine again"]
    assert "not linked" in (await bench.say("/link off")).reply


async def test_forget_covers_both(bench: ChatBench) -> None:
    """Whichever account asks for it, and what the second had of its own too."""
    await bench.say("mine", adapter="other", user="ann7", chat="c7")
    await link(bench)
    await bench.say("ours")
    asked = (await bench.say("/forget", adapter="other", user="ann7", chat="c7")).reply
    assert "here and as test:ann (2 conversations)" in asked
    assert "2 conversations" in (await bench.say("/forget confirm", adapter="other", user="ann7", chat="c7")).reply
    assert await bench.conversations.all() == []
    assert {"test:ann", "other:ann7"} <= set(bench.engine.forgotten)


async def test_a_code_is_good_once_for_an_hour_and_not_for_oneself(bench: ChatBench) -> None:
    """Used, old, or somebody's own, it is no code."""
    code = await offered(bench)
    assert "not a code" in (await bench.say(f"/link {code}")).reply
    bench.clock.advance(3600)
    assert "not a code" in (await bench.say(f"/link {code}", adapter="other", user="ann7")).reply
    await link(bench)
    assert "linked already" in (await bench.say(f"/link {code}", adapter="other", user="ann7")).reply
    rows = await bench.database.fetch("SELECT code_hash FROM link_codes")
    assert code not in {row["code_hash"] for row in rows}


async def test_guessing_is_limited(bench: ChatBench) -> None:
    """After five wrong codes within the hour the right one does not help."""
    for _ in range(5):
        assert "not a code" in (await bench.say(f"/link {new_code(3)}", user="eve")).reply
    assert "too many" in (await bench.say(f"/link {await offered(bench)}", user="eve")).reply


async def test_a_third_account_joins_the_same_history(bench: ChatBench) -> None:
    """A code that a linked account asks for is one for the history it goes on with; chains do not arise."""
    await link(bench)
    code = await offered(bench, adapter="other", user="ann7", chat="c7")
    assert "linked with test:ann" in (await bench.say(f"/link {code}", adapter="third", user="a", chat="a")).reply
    await bench.say("x", adapter="third", user="a", chat="a")
    assert [turn.text for turn in await bench.stored()] == ["x"]
    told = (await bench.say("/whoami", adapter="third", user="a", chat="a")).reply
    assert told.endswith("You are linked with test:ann and other:ann7.")


async def test_a_link_gives_no_rights(open_bench: OpenBench) -> None:
    """A stranger who has a code is a stranger, and an admin's other account is no admin."""
    async with open_bench(permissions={"users": {"admin_ids": ["test:ann"], "allowed_ids": ["other:ann7"]}}) as bench:
        code = await offered(bench)
        assert "I do not know you" in (await bench.say(f"/link {code}", adapter="other", user="eve")).reply
        await bench.say(f"/link {code}", adapter="other", user="ann7")
        assert "admin" not in (await bench.say("/whoami", adapter="other", user="ann7")).reply


async def test_codes_are_not_shown_in_groups(bench: ChatBench) -> None:
    """Everybody there could use them."""
    assert "private chat" in (await bench.say("/link", chat="hall", direct=False)).reply


async def test_statistics_are_the_person_s(bench: ChatBench) -> None:
    """Both accounts together."""
    await link(bench)
    await bench.say("a")
    await bench.say("b", adapter="other", user="ann7", chat="hall", direct=False)
    assert "2 messages in 2 conversations" in (await bench.say("/stats")).reply


async def test_quotas_are_the_person_s(open_bench: OpenBench) -> None:
    """A second account is no second allowance."""
    async with open_bench(permissions={"open": True, "quotas": {"messages_per_hour": 1}}) as bench:
        await link(bench)
        await bench.say("a")
        assert (await bench.say("b", adapter="other", user="ann7")).errors == ["quota_exceeded"]
