from bot.adapter import ReplyTarget
from bot.messages import Button, IncomingMessage, OutgoingMessage
from tests.support.hosted_discord import HostedDiscord
from tests.support.scripted_core import ScriptedCore

RETRY = Button(label="Retry", command="/retry")


async def offers(_message: IncomingMessage, target: ReplyTarget) -> None:
    """Answer with a button."""
    await target.send(OutgoingMessage(text="An answer", buttons=(RETRY,)))


async def test_a_press_is_the_buttons_command(hosted: HostedDiscord, core: ScriptedCore) -> None:
    """It says which message it was under, and its answer is a message of its own."""
    core.answers.append(offers)
    await hosted.ann.send(hosted.channel, f"{hosted.mention} hi")
    answer = hosted.channel.last_message
    assert answer is not None
    result = await hosted.ann.click(answer, label="Retry")
    assert result.acknowledged
    press = core.received[-1]
    assert (press.text, press.pressed) == ("/retry", str(answer.id))
    assert press.key == core.received[0].key
    assert hosted.texts() == ["An answer", "/retry"]


async def test_a_button_survives_a_restart(hosted: HostedDiscord, core: ScriptedCore) -> None:
    """Its command is in its id: nothing has to be remembered."""
    core.answers.append(offers)
    await hosted.ann.send_dm("hi")
    answer = hosted.ann.user.dm_channel.last_message
    assert answer is not None
    later = ScriptedCore()
    async with hosted.restarted(later):
        await hosted.ann.user.click(answer, label="Retry")
    assert [message.text for message in later.received] == ["/retry"]


async def test_an_edit_changes_the_buttons(hosted: HostedDiscord, core: ScriptedCore) -> None:
    """One without any removes them."""

    async def stream(_message: IncomingMessage, target: ReplyTarget) -> None:
        sent = await target.send(
            OutgoingMessage(text="One", final=False, buttons=(Button(label="Stop", command="/stop"),))
        )
        await target.edit(sent, OutgoingMessage(text="One moment", buttons=(RETRY,)))
        await target.edit(sent, OutgoingMessage(text="One moment."))

    core.answers.append(stream)
    await hosted.ann.send_dm("hi")
    channel = hosted.ann.user.dm_channel
    (sent,) = hosted.bodies("POST", f"/channels/{channel.id}/messages")
    edits = [each.json for each in hosted.env.http_requests if each.method == "PATCH"]
    rows = [body["components"] for body in (sent, *edits)]
    assert [[item["label"] for row in each for item in row["components"]] for each in rows] == [["Stop"], ["Retry"], []]


async def test_what_a_late_press_is_told_is_for_the_presser_alone(hosted: HostedDiscord, core: ScriptedCore) -> None:
    """A final notice is shown to nobody else."""

    async def late(_message: IncomingMessage, target: ReplyTarget) -> None:
        await target.send(OutgoingMessage(text="That is an old button.", notice=True))

    core.answers += [offers, late]
    await hosted.ann.send(hosted.channel, f"{hosted.mention} hi")
    answer = hosted.channel.last_message
    assert answer is not None
    result = await hosted.ann.click(answer, label="Retry")
    (word,) = result.followups
    assert word.ephemeral
    assert hosted.texts() == ["An answer"]


async def test_a_press_that_discord_gave_up_on_is_carried_out(hosted: HostedDiscord, core: ScriptedCore) -> None:
    """The person pressed it, after all."""
    core.answers.append(offers)
    await hosted.ann.send_dm("hi")
    channel = hosted.ann.user.dm_channel
    answer = channel.last_message
    assert answer is not None
    hosted.env.inject_error("POST", "/interactions/*", status=404, code=10062, message="Unknown interaction")
    await hosted.ann.user.click(answer, label="Retry")
    assert hosted.texts(channel) == ["An answer", "/retry"]


async def test_buttons_are_not_kept_in_memory(hosted: HostedDiscord, core: ScriptedCore) -> None:
    """discord.py would keep every view that was ever sent."""
    for _ in range(20):
        core.answers.append(offers)
        await hosted.ann.send_dm("hi")
    store = hosted.adapter.client()._connection._view_store
    assert not store._views
    assert not store._synced_message_views
