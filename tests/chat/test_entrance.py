"""How people get in: the first admin, and everybody after."""

import re
from collections.abc import AsyncIterator

import pytest

from bot.chat.codes import new_code, read_code
from bot.messages import Button
from tests.chat.conftest import OpenBench
from tests.support.chat_bench import ChatBench

CODE = re.compile(r"code is (\S+),")


@pytest.fixture
async def closed(open_bench: OpenBench) -> AsyncIterator[ChatBench]:
    """A new bot, to which nobody may talk, on a platform that is up."""
    async with open_bench(permissions={}) as bench:
        bench.connect(buttons=True)
        yield bench


async def claimed(bench: ChatBench, user: str = "root") -> None:
    """Make somebody the admin."""
    code = await bench.service.offer_claim()
    assert code is not None
    assert "admin" in (await bench.say(code, user=user)).reply


async def asked(bench: ChatBench, user: str = "eve", **fields: str) -> str:
    """Let a stranger write for the first time, and return the code they are given."""
    match = CODE.search((await bench.say("hello?", user=user, **fields)).reply)
    assert match is not None
    return match[1]


async def test_the_first_with_the_code_from_the_log_is_admin(
    closed: ChatBench, caplog: pytest.LogCaptureFixture
) -> None:
    """However it is typed; afterwards they may talk, and the code is worth nothing any more."""
    code = await closed.service.offer_claim()
    assert code is not None
    assert code in caplog.text
    assert (await closed.say(f"/start {code.lower()}", user="root")).reply.startswith("Welcome!")
    assert "you are an admin" in (await closed.say("/whoami", user="root")).reply
    assert await closed.service.offer_claim() is None
    assert "your id is test:eve" in (await closed.say(code, user="eve")).reply


async def test_there_is_no_code_where_the_configuration_has_an_admin(open_bench: OpenBench) -> None:
    """Nor where one was stored: what looks like a code is a message like any other then."""
    async with open_bench(permissions={"users": {"admin_ids": ["test:root"]}}) as bench:
        assert await bench.service.offer_claim() is None
        assert (await bench.say("AAAA-AAAA-AAAA", user="root")).reply == "re: AAAA-AAAA-AAAA"


async def test_the_code_is_good_for_an_hour(closed: ChatBench, caplog: pytest.LogCaptureFixture) -> None:
    """Then the next stranger's message makes the log show another one."""
    old = await closed.service.offer_claim()
    assert old is not None
    closed.clock.advance(3600)
    assert "your code is" in (await closed.say(old, user="root")).reply
    new = await closed.service.offer_claim()
    assert new not in {None, old}
    assert str(new) in caplog.text
    assert "admin" in (await closed.say(str(new), user="root")).reply


async def test_guesses_are_limited(closed: ChatBench) -> None:
    """Five an hour for each person; even the right code does not help after that, and others are not held up."""
    code = await closed.service.offer_claim()
    assert code is not None
    for _ in range(5):
        assert (await closed.say(new_code(3), user="eve")).reply.startswith("That is not the code")
    assert "too many codes" in (await closed.say(code, user="eve")).reply
    assert "admin" in (await closed.say(code, user="root")).reply


async def test_nobody_claims_in_a_group(closed: ChatBench) -> None:
    """A group is not answered, whatever is said in it."""
    code = await closed.service.offer_claim()
    assert (await closed.say(str(code), user="eve", chat="hall", direct=False)).replies == []
    assert (await closed.say("hello", user="eve", chat="hall", direct=False)).replies == []


async def test_a_stranger_is_answered_once_and_the_admins_are_asked(closed: ChatBench) -> None:
    """With the id and a code; within the hour nothing more is said to either."""
    await claimed(closed)
    code = await asked(closed, sender_name="Eve\n[click](http://x)")
    assert (await closed.say("hello??", user="eve")).replies == []
    (question,) = closed.told["test", "root"].messages.values()
    assert question.text == f"Eve [click](http://x) (test:eve) asks to talk to me. Code: {code}"
    assert question.plain
    assert question.buttons[0] == Button(label="Let in", command=f"/pairing approve {code}")
    assert all(len(button.command) <= 64 for button in question.buttons)
    closed.clock.advance(3600)
    assert await asked(closed) != code


async def test_pressing_the_button_lets_them_in_and_they_are_told(closed: ChatBench) -> None:
    """What they wrote before is not answered; from now on they may talk, also after a restart."""
    await claimed(closed)
    code = await asked(closed)
    assert "test:eve is let in" in (await closed.say(f"/pairing approve {code}", user="root", pressed="1")).reply
    assert [message.text[:15] for message in closed.told["test", "eve"].messages.values()] == ["You are let in."]
    assert (await closed.say("hello", user="eve")).reply == "re: hello"
    assert (await closed.say("/pairing", user="root")).reply == "Nobody waits to be let in."


async def test_where_there_are_no_buttons_the_commands_are_written_out(open_bench: OpenBench) -> None:
    """An admin of the configuration is reached by the own id, as long as no private chat is known."""
    async with open_bench(permissions={"users": {"admin_ids": ["test:root"]}}) as bench:
        bench.connect()
        code = await asked(bench)
        (question,) = bench.told["test", "root"].messages.values()
        assert f"/pairing approve {code}" in question.text
        assert question.buttons == ()
        await bench.say("/whoami", user="root", chat="private-7")
        await asked(bench, user="bob")
        assert ("test", "private-7") in bench.told


@pytest.mark.parametrize("decision", ["deny", "block"])
async def test_who_is_not_let_in_is_not_answered(closed: ChatBench, decision: str) -> None:
    """For a week, or for good; and no admin is bothered again."""
    await claimed(closed)
    code = await asked(closed)
    await closed.say(f"/pairing {decision} {code}", user="root")
    closed.clock.advance(3600 * 24)
    assert (await closed.say("hello?", user="eve")).replies == []
    closed.clock.advance(3600 * 24 * 7)
    assert len((await closed.say("hello?", user="eve")).replies) == (decision == "deny")


async def test_a_crowd_does_not_flood_the_admins(closed: ChatBench) -> None:
    """Twenty may wait; others are not answered until the hour is over."""
    await claimed(closed)
    for number in range(30):
        await closed.say("hello?", user=f"bot{number}")
    assert len(closed.told["test", "root"].messages) == 20
    closed.clock.advance(3600)
    await asked(closed)


async def test_pairing_is_for_admins(closed: ChatBench) -> None:
    """Nobody else sees the command or may give it, and a code is no help to who has it."""
    await claimed(closed)
    await closed.say(f"/pairing approve {await asked(closed, 'ann')}", user="root")
    code = await asked(closed)
    assert "I know no command /pairing" in (await closed.say(f"/pairing approve {code}", user="ann")).reply
    assert "/pairing" not in (await closed.say("/help", user="ann")).reply
    assert "/pairing" in (await closed.say("/help", user="root")).reply
    assert (await closed.say(f"/pairing approve {code}", user="eve")).replies == []


async def test_pairing_explains_itself(closed: ChatBench) -> None:
    """It lists who waits, takes ids in place of codes, and says what is wrong with what it does not understand."""
    await claimed(closed)
    code = await asked(closed, sender_name="Eve")
    assert f"- {code}: Eve (test:eve), since" in (await closed.say("/pairing list", user="root")).reply
    assert "Nobody waits with the code QQQQ" in (await closed.say("/pairing approve QQQQ", user="root")).reply
    assert "Send /pairing to see" in (await closed.say("/pairing perhaps", user="root")).reply
    assert "test:bob does not wait" in (await closed.say("/pairing deny test:bob", user="root")).reply
    assert "test:bob is let in" in (await closed.say("/pairing approve test:bob", user="root")).reply
    assert (await closed.say("hello", user="bob")).reply == "re: hello"


async def test_who_was_let_in_elsewhere_is_told_once_the_platform_is_up(open_bench: OpenBench) -> None:
    """The command line is another process: the daemon finds what it decided, and waits for the connection."""
    async with open_bench(permissions={}) as bench:
        await claimed(bench)
        await bench.say(f"/pairing approve {await asked(bench)}", user="root")
        assert bench.told == {}
        bench.connect()
        await bench.service._welcomes.tell()
        await bench.service._welcomes.tell()
        assert len(bench.told["test", "eve"].messages) == 1


async def test_a_platform_that_fails_does_not_keep_anybody_from_being_answered(closed: ChatBench) -> None:
    """The stranger gets the code, although the admin is asked only later."""
    await claimed(closed)
    await closed.say("/whoami", user="root")
    await asked(closed, "bob")
    closed.told["test", "root"].broken.add("send")
    assert "I have asked the owner" in (await closed.say("hello?", user="eve")).reply
    closed.told["test", "root"].broken.clear()
    closed.clock.advance(61)
    await closed.service._letters.deliver()
    assert any("eve" in message.text for message in closed.told["test", "root"].messages.values())


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("K7QF-2M9X", "K7QF-2M9X"),
        ("  k7qf\u20132m9x ", "K7QF-2M9X"),
        ("/start K7QF-2M9X", "K7QF-2M9X"),
        ("/link K7QF-2M9X", "K7QF-2M9X"),
        ("K7QF2M9X", None),
        ("this-that", None),
        ("well-known", None),
        ("my code is K7QF-2M9X", None),
        ("K7QF-2M90", None),
    ],
)
def test_a_code_is_read_however_it_is_typed(text: str, code: str | None) -> None:
    """In any case and with any dash; words and sentences are none."""
    assert read_code(text) == code
