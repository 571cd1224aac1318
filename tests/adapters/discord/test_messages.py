import pytest

from bot.messages import OutgoingMessage
from tests.support.hosted_discord import HostedDiscord
from tests.support.scripted_core import ScriptedCore


async def test_a_direct_message_is_answered(hosted: HostedDiscord, core: ScriptedCore) -> None:
    """It reaches the core with the platform's ids, and the answer stands below it."""
    sent = await hosted.ann.send_dm("Hello!")
    (received,) = core.received
    assert received.text == "Hello!"
    assert received.direct
    assert received.addressed
    assert (received.user, received.message_id) == (str(hosted.ann.id), str(sent.id))
    assert received.chat == str(hosted.ann.user.dm_channel.id)
    assert received.sender_name == "Ann"
    assert hosted.texts(hosted.ann.user.dm_channel) == ["Hello!"]


async def test_a_mention_addresses_the_bot(hosted: HostedDiscord, core: ScriptedCore) -> None:
    """In a channel the mention is taken out of the text, and the answer refers to the message."""
    sent = await hosted.ann.send(hosted.channel, f"{hosted.mention} what is up?")
    (received,) = core.received
    assert received.addressed
    assert received.text == "what is up?"
    assert not received.direct
    answer = hosted.channel.last_message
    assert answer is not None
    assert answer.content == "what is up?"
    assert answer.reference is not None
    assert answer.reference.message_id == sent.id


async def test_what_others_say_does_not_address_the_bot(hosted: HostedDiscord, core: ScriptedCore) -> None:
    """It is handed to the core as not addressed."""
    await hosted.ann.send(hosted.channel, "Nice weather.")
    assert [message.addressed for message in core.received] == [False]


async def test_a_reply_to_the_bot_addresses_it(hosted: HostedDiscord, core: ScriptedCore) -> None:
    """And carries the text it replies to."""
    await hosted.ann.send(hosted.channel, f"{hosted.mention} one")
    answer = hosted.channel.last_message
    assert answer is not None
    await hosted.ann.send(hosted.channel, "two", reply_to=answer)
    received = core.received[-1]
    assert received.addressed
    assert received.reply_to == str(answer.id)
    assert received.reply_text == "one"


async def test_a_reply_to_somebody_else_does_not(hosted: HostedDiscord, core: ScriptedCore) -> None:
    """Only a reply to the bot's own message counts."""
    first = await hosted.ann.send(hosted.channel, "one")
    await hosted.ann.send(hosted.channel, "two", reply_to=first)
    assert [message.addressed for message in core.received] == [False, False]


async def test_other_bots_are_ignored(hosted: HostedDiscord, core: ScriptedCore) -> None:
    """Also where one replies to this bot with a ping; webhooks too."""
    await hosted.ann.send(hosted.channel, f"{hosted.mention} one")
    answer = hosted.channel.last_message
    assert answer is not None
    robot = hosted.guild.add_member(hosted.env.create_user("robot", bot=True))
    await robot.send(hosted.channel, f"{hosted.mention} two", reply_to=answer)
    await hosted.guild.create_webhook(hosted.channel).send(f"{hosted.mention} three")
    assert [message.text for message in core.received] == ["one"]


async def test_names_take_the_place_of_numbers(hosted: HostedDiscord, core: ScriptedCore) -> None:
    """People, roles, channels and emoji read as a person sees them."""
    role = hosted.guild.create_role("cooks")
    bob = hosted.guild.add_member(hosted.env.create_user("bob", global_name="Bob"))
    text = f"{hosted.mention} ask {bob.mention} and {role.mention} in {hosted.channel.mention} <:smile:123>"
    await hosted.ann.send(hosted.channel, text)
    assert core.received[-1].text == "ask @Bob and @cooks in #general :smile:"


async def test_roles_come_along(hosted: HostedDiscord, core: ScriptedCore) -> None:
    """By id, without the one that everybody has; nobody has any in a direct chat."""
    role = hosted.guild.create_role("cooks")
    cook = hosted.guild.add_member(hosted.env.create_user("cook"), roles=[role])
    await cook.send(hosted.channel, f"{hosted.mention} hi")
    await cook.send_dm("hi")
    assert [message.roles for message in core.received] == [(str(role.id),), ()]


async def test_an_edited_message_is_handed_over_anew(hosted: HostedDiscord, core: ScriptedCore) -> None:
    """With the same id."""
    sent = await hosted.ann.send_dm("Helo")
    await hosted.ann.user.edit(sent, "Hello")
    first, second = core.received
    assert not first.edited
    assert second.edited
    assert second.text == "Hello"
    assert second.message_id == first.message_id


async def test_a_deleted_message_is_answered_all_the_same(core: ScriptedCore) -> None:
    """A reference to what is gone does not keep the answer back."""
    async with HostedDiscord.open(core) as hosted:
        sent = await hosted.ann.send(hosted.channel, f"{hosted.mention} hi")
        await hosted.ann.delete(sent)
        target = hosted.adapter.target(core.received[0].address)
        assert target is not None
        await target.send(OutgoingMessage(text="later"))
        assert hosted.texts()[-1] == "later"


async def test_files_come_along(hosted: HostedDiscord, core: ScriptedCore) -> None:
    """With name, type, size, and a way to read them."""
    await hosted.ann.send(hosted.channel, "look", attachments=[("notes.txt", b"milk")])
    (file,) = core.received[0].attachments
    assert (file.name, file.size) == ("notes.txt", 4)
    assert file.media_type == "text/plain"
    assert await file.read() == b"milk"


@pytest.mark.parametrize(("groups", "addressed"), [("all", [True, True]), ("commands", [False, False])])
async def test_groups_can_be_answered_always_or_never(core: ScriptedCore, groups: str, addressed: list[bool]) -> None:
    """`groups` decides whether messages in channels are meant for the bot."""
    async with HostedDiscord.open(core, groups=groups) as hosted:
        await hosted.ann.send(hosted.channel, "Nice weather.")
        await hosted.ann.send(hosted.channel, f"{hosted.mention} hi")
    assert [message.addressed for message in core.received] == addressed
