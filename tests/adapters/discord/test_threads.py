from bot.adapter import ReplyTarget
from bot.messages import ChatAddress, IncomingMessage, OutgoingMessage
from tests.support.hosted_discord import HostedDiscord
from tests.support.scripted_core import ScriptedCore


async def nothing(_message: IncomingMessage, _target: ReplyTarget) -> None:
    """Do not answer."""


async def test_a_talk_gets_a_thread(core: ScriptedCore) -> None:
    """It is named after the message, and in it the bot needs no mention."""
    async with HostedDiscord.open(core, threads=True) as hosted:
        sent = await hosted.ann.send(hosted.channel, f"{hosted.mention} what is up?")
        (thread,) = hosted.channel.threads
        assert thread.name == "what is up?"
        assert hosted.texts(thread) == ["what is up?"]
        await hosted.ann.send(thread, "and now?")
        assert hosted.texts(thread) == ["what is up?", "and now?"]
        assert hosted.texts() == []
    first, second = core.received
    assert first.key == second.key
    assert (first.chat, first.thread) == (str(hosted.channel.id), str(sent.id))
    assert second.addressed


async def test_nobody_gets_a_thread_without_an_answer(core: ScriptedCore) -> None:
    """Whoever is not let in, or did not mean the bot, does not make it open one."""
    core.answers += [nothing]
    async with HostedDiscord.open(core, threads=True) as hosted:
        await hosted.ann.send(hosted.channel, f"{hosted.mention} let me in")
        core.answers += [nothing]
        await hosted.ann.send(hosted.channel, "Nice weather.")
        assert hosted.channel.threads == []
    assert [message.thread for message in core.received][1] == ""


async def test_a_bot_without_the_right_answers_in_the_channel(core: ScriptedCore) -> None:
    """And the log says which right is missing."""
    async with HostedDiscord.open(core, threads=True) as hosted:
        hosted.env.inject_error("POST", "/channels/*/threads", status=403, code=50013, message="Missing Permissions")
        await hosted.ann.send(hosted.channel, f"{hosted.mention} hi")
        assert hosted.texts() == ["hi"]


async def test_other_threads_are_chats_of_their_own(hosted: HostedDiscord, core: ScriptedCore) -> None:
    """Their channel is the chat, so that what is allowed there holds in them too."""
    start = await hosted.ann.send(hosted.channel, "start")
    thread = await start.create_thread(name="talk")
    place = hosted.channel.threads[0]
    core.received.clear()
    await hosted.ann.send(place, f"{hosted.mention} hi")
    (received,) = core.received
    assert (received.chat, received.thread) == (str(hosted.channel.id), str(thread.id))
    assert hosted.texts(place) == ["hi"]


async def test_commands_in_a_thread_belong_to_it(core: ScriptedCore) -> None:
    """As messages do."""
    async with HostedDiscord.open(core, threads=True) as hosted:
        await hosted.ann.send(hosted.channel, f"{hosted.mention} hi")
        (thread,) = hosted.channel.threads
        await hosted.ann.slash(thread, "new")
    message, command = core.received
    assert command.key == message.key


async def test_a_thread_that_was_not_opened_before_a_restart_is_opened_after_it(core: ScriptedCore) -> None:
    """Its address says which message it was to begin with; one that is there already is used."""
    core.answers += [nothing]
    async with HostedDiscord.open(core, threads=True) as hosted:
        await hosted.ann.send(hosted.channel, f"{hosted.mention} hi")
        for text in ("late", "later"):
            target = hosted.adapter.target(core.received[0].address)
            assert target is not None
            await target.send(OutgoingMessage(text=text))
        (thread,) = hosted.channel.threads
        assert hosted.texts(thread) == ["late", "later"]


async def test_an_address_of_another_platform_is_none(hosted: HostedDiscord) -> None:
    """Discord's ids are numbers."""
    assert hosted.adapter.target(ChatAddress(adapter="discord", chat="kitchen")) is None


async def test_what_was_missed_on_a_server_comes_with_roles(core: ScriptedCore) -> None:
    """Discord's history tells who wrote, and nothing of their roles: those are asked for."""
    async with HostedDiscord.open(core) as hosted:
        role = hosted.guild.create_role("cooks")
        cook = hosted.guild.add_member(hosted.env.create_user("cook"), roles=[role])
        await cook.send(hosted.channel, f"{hosted.mention} one")
        hosted.adapter.client().intake._open = False
        await cook.send(hosted.channel, f"{hosted.mention} two")
        later = ScriptedCore()
        later.store = core.store
        async with hosted.restarted(later):
            assert [(message.text, message.roles) for message in later.received] == [("two", (str(role.id),))]
            assert hosted.texts() == ["one", "two"]
