"""The server that the other tests rely on is as strict as the real one."""

from collections.abc import AsyncIterator

import pytest
from telegram import Bot, MessageEntity
from telegram.error import BadRequest, RetryAfter, TelegramError

from tests.support.bot_api import BotApiServer
from tests.support.fake_clock import FakeClock


@pytest.fixture
async def bot(server: BotApiServer) -> AsyncIterator[Bot]:
    """python-telegram-bot's own client."""
    async with Bot(server.token, base_url=server.base_url, base_file_url=server.base_file_url) as opened:
        yield opened


async def refusal(call: object) -> str:
    """What the server says to a call that must fail."""
    with pytest.raises(TelegramError) as caught:
        await call  # type: ignore[misc]
    return caught.value.message.lower()


async def test_a_text_has_at_most_4096_units(server: BotApiServer, bot: Bot) -> None:
    """An emoji counts twice, and empty texts are refused."""
    ann = server.private_chat()
    await bot.send_message(ann.id, "😀" * 2048)
    assert "too long" in await refusal(bot.send_message(ann.id, "😀" * 2048 + "a"))
    assert "empty" in await refusal(bot.send_message(ann.id, " \n"))
    message = server.messages(ann)[0]
    assert "too_long" in await refusal(bot.edit_message_text("x" * 4097, ann.id, message.id))


@pytest.mark.parametrize(
    "entities",
    [
        [MessageEntity("bold", 3, 3)],
        [MessageEntity("bold", 1, 1)],
        [MessageEntity("bold", 0, 0)],
        [MessageEntity("mystery", 0, 2)],
        [MessageEntity("text_link", 0, 2, url="nowhere")],
        [MessageEntity("bold", 0, 3), MessageEntity("italic", 2, 2)],
        [MessageEntity("pre", 0, 4), MessageEntity("bold", 0, 2)],
        [MessageEntity("blockquote", 0, 4), MessageEntity("blockquote", 0, 2)],
        [MessageEntity("bold", 0, 2)] * 101,
    ],
)
async def test_wrong_entities_are_refused(server: BotApiServer, bot: Bot, entities: list[MessageEntity]) -> None:
    """Out of place, in the middle of an emoji, unknown, overlapping or nested against the rules."""
    ann = server.private_chat()
    assert "entit" in await refusal(bot.send_message(ann.id, "😀abc", entities=entities))


async def test_edits_are_checked(server: BotApiServer, bot: Bot) -> None:
    """One that changes nothing, one of a message that is not there, one of somebody else's."""
    ann = server.private_chat()
    said = ann.say("hello")
    sent = await bot.send_message(ann.id, "one")
    assert "not modified" in await refusal(bot.edit_message_text("one", ann.id, sent.message_id))
    assert "to edit not found" in await refusal(bot.edit_message_text("two", ann.id, 999))
    assert "can't be edited" in await refusal(bot.edit_message_text("two", ann.id, said.id))


async def test_a_group_takes_twenty_messages_a_minute(server: BotApiServer, bot: Bot, clock: FakeClock) -> None:
    """However they are spread; the pause that is asked for is the one after which there is room."""
    group = server.group()
    for number in range(20):
        clock.advance(1.5)
        await bot.send_message(group.id, str(number))
    clock.advance(1.5)
    with pytest.raises(RetryAfter) as caught:
        await bot.send_message(group.id, "one too many")
    pause = caught.value.retry_after
    assert isinstance(pause, int)
    clock.advance(pause)
    await bot.send_message(group.id, "later")


async def test_all_chats_together_take_thirty_a_second(server: BotApiServer, bot: Bot, clock: FakeClock) -> None:
    """Over all of them."""
    chats = [server.private_chat(f"P{number}") for number in range(31)]
    for chat in chats[:30]:
        await bot.send_message(chat.id, "hello")
    with pytest.raises(RetryAfter):
        await bot.send_message(chats[30].id, "hello")
    clock.advance(1)
    await bot.send_message(chats[30].id, "hello")


async def test_drafts_are_for_private_chats(server: BotApiServer, bot: Bot) -> None:
    """In a group they are refused, and so is one without an id."""
    ann, group = server.private_chat(), server.group()
    await bot.send_message_draft(ann.id, 1, "text")
    assert "peer_invalid" in await refusal(bot.send_message_draft(group.id, 1, "text"))
    assert "invalid" in await refusal(bot.send_message_draft(ann.id, 0, "text"))


async def test_updates_wait_until_they_are_confirmed(server: BotApiServer, bot: Bot) -> None:
    """The same ones come again until a later offset is asked for; what is not allowed is not kept."""
    ann = server.private_chat()
    ann.say("one")
    ann.say("two")
    first = await bot.get_updates(allowed_updates=["message"])
    again = await bot.get_updates()
    assert [update.update_id for update in first] == [update.update_id for update in again]
    rest = await bot.get_updates(offset=first[0].update_id + 1)
    assert [update.message.text for update in rest if update.message] == ["two"]
    said = ann.say("three")
    ann.edit(said, "four")
    assert len(await bot.get_updates(offset=rest[-1].update_id + 1)) == 1


async def test_files_can_be_fetched_up_to_twenty_megabytes(server: BotApiServer, bot: Bot) -> None:
    """Larger ones are there, and refused."""
    small, large = server.add_file("a.txt", b"data"), server.add_file("b.bin", bytes(20 * 2**20 + 1))
    file = await bot.get_file(small)
    assert bytes(await file.download_as_bytearray()) == b"data"
    assert "too big" in await refusal(bot.get_file(large))


async def test_button_data_has_sixty_four_bytes(server: BotApiServer, bot: Bot) -> None:
    """More is refused when the message is sent."""
    keyboard = {"inline_keyboard": [[{"text": "a", "callback_data": "x" * 65}]]}
    ann = server.private_chat()
    with pytest.raises(BadRequest, match="Button_data_invalid"):
        await bot.send_message(ann.id, "a", api_kwargs={"reply_markup": keyboard})
