from collections.abc import Callable

import pytest

from bot.adapter import ReplyTarget
from bot.messages import CommandSpec, IncomingMessage, OutgoingMessage
from tests.support.hosted_discord import HostedDiscord
from tests.support.scripted_core import Answer, ScriptedCore

EXTRACT = CommandSpec(name="extract", summary="take out", argument="<schema> [text]", choices=("recipe", "bill"))
PAIRING = CommandSpec(name="pairing", summary="let in", argument="approve CODE", admin=True)


class WideCore(ScriptedCore):
    """Has commands of every shape."""

    commands = (
        *ScriptedCore.commands,
        EXTRACT,
        PAIRING,
        CommandSpec(name="retry", summary="again"),
        CommandSpec(name="continue", summary="more"),
    )


async def test_every_command_is_an_application_command(hosted: HostedDiscord) -> None:
    """With its summary, in direct chats too."""
    (published,) = hosted.bodies("PUT", "/commands")
    shown = {command["name"]: command for command in published if command["type"] == 1}
    assert list(shown) == ["help", "new", "persona"]
    assert shown["new"]["description"] == "start over"
    assert shown["new"]["contexts"] == [0, 1]
    (option,) = shown["persona"]["options"]
    assert (option["name"], option["required"], option["autocomplete"]) == ("name", False, True)
    assert hosted.ann.user.available_commands() == ("help", "new", "persona")


async def test_a_command_is_deferred_and_answered_in_its_place(hosted: HostedDiscord, core: ScriptedCore) -> None:
    """The core sees what a person would have typed."""
    result = await hosted.ann.slash(hosted.channel, "persona", name="pirate")
    assert result.response is not None
    assert result.response.content == "/persona pirate"
    assert [body["type"] for body in hosted.bodies("POST", "/callback")] == [5]
    (received,) = core.received
    assert (received.text, received.user) == ("/persona pirate", str(hosted.ann.id))
    assert (received.chat, received.direct, received.addressed) == (str(hosted.channel.id), False, True)


async def test_commands_work_in_direct_chats(hosted: HostedDiscord, core: ScriptedCore) -> None:
    """In the same conversation as messages."""
    await hosted.ann.send_dm("hi")
    await hosted.ann.user.slash("new")
    message, command = core.received
    assert command.text == "/new"
    assert command.key == message.key


async def test_what_follows_a_choice_is_an_option_of_its_own() -> None:
    """A command whose first word has known values takes the rest as text."""
    core = WideCore()
    async with HostedDiscord.open(core) as hosted:
        await hosted.ann.slash(hosted.channel, "extract", schema="bill", text="3 eggs")
        await hosted.ann.slash(hosted.channel, "extract", schema="bill")
    assert [message.text for message in core.received] == ["/extract bill 3 eggs", "/extract bill"]


async def test_admins_commands_are_shown_to_admins_of_a_server() -> None:
    """Others do not see them, and nobody does in direct chats; written out, they work anywhere."""
    core = WideCore()
    async with HostedDiscord.open(core) as hosted:
        boss = hosted.guild.owner
        assert boss is not None
        assert "pairing" not in hosted.ann.available_commands(hosted.channel)
        assert "pairing" not in hosted.ann.user.available_commands()
        (published,) = hosted.bodies("PUT", "/commands")
        pairing = next(command for command in published if command["name"] == "pairing")
        assert pairing["default_member_permissions"] == 8
        assert pairing["contexts"] == [0]


@pytest.mark.parametrize(
    ("typed", "offered"), [("", ["hearth", "pirate"]), ("pi", ["pirate"]), ("AR", ["hearth"]), ("x", [])]
)
async def test_arguments_are_completed(hosted: HostedDiscord, typed: str, offered: list[str]) -> None:
    """From the values that are known when somebody types."""
    choices = await hosted.ann.autocomplete(hosted.channel, "persona", "name", typed)
    assert [choice["value"] for choice in choices] == offered


async def test_choices_are_looked_up_each_time(hosted: HostedDiscord, core: ScriptedCore) -> None:
    """A persona that was added is offered without a restart."""
    core.commands = (*core.commands[:2], CommandSpec(name="persona", summary="-", argument="[name]", choices=("cook",)))
    choices = await hosted.ann.autocomplete(hosted.channel, "persona", "name", "")
    assert [choice["value"] for choice in choices] == ["cook"]


def says(*texts: str, then: Callable[[], None] = lambda: None) -> Answer:
    """An answer of several messages; `then` is called before the last."""

    async def answer(_message: IncomingMessage, target: ReplyTarget) -> None:
        for text in texts[:-1]:
            await target.send(OutgoingMessage(text=text))
        then()
        await target.send(OutgoingMessage(text=texts[-1]))

    return answer


async def test_a_long_answer_goes_on_in_follow_ups(hosted: HostedDiscord, core: ScriptedCore) -> None:
    """The first part takes the place of “thinking …”, the others stand below it."""
    core.answers.append(says("one", "two", "three"))
    result = await hosted.ann.slash(hosted.channel, "help")
    assert result.response is not None
    assert result.response.content == "one"
    assert [message.content for message in result.followups] == ["two", "three"]


async def test_an_answer_is_edited_where_it_stands(hosted: HostedDiscord, core: ScriptedCore) -> None:
    """Through the interaction, as long as that is valid."""

    async def stream(_message: IncomingMessage, target: ReplyTarget) -> None:
        sent = await target.send(OutgoingMessage(text="One", final=False))
        await target.edit(sent, OutgoingMessage(text="One moment"))

    core.answers.append(stream)
    result = await hosted.ann.slash(hosted.channel, "help")
    assert result.response is not None
    assert result.response.content == "One moment"
    assert not hosted.bodies("PATCH", f"/channels/{hosted.channel.id}/messages/{result.response.id}")


async def test_after_a_quarter_of_an_hour_the_channel_is_written_to(hosted: HostedDiscord, core: ScriptedCore) -> None:
    """An interaction's token is valid for 15 minutes; what was shown can be changed still, and more be said."""

    async def slow(_message: IncomingMessage, target: ReplyTarget) -> None:
        sent = await target.send(OutgoingMessage(text="One", final=False))
        hosted.env.backend.advance_clock(15 * 60 + 1)
        await target.edit(sent, OutgoingMessage(text="One moment"))
        await target.send(OutgoingMessage(text="Two"))

    core.answers.append(slow)
    await hosted.ann.slash(hosted.channel, "help")
    assert hosted.texts() == ["One moment", "Two"]


async def test_a_token_that_expires_in_between_loses_nothing(hosted: HostedDiscord, core: ScriptedCore) -> None:
    """Discord's word counts, not this machine's clock."""

    def expire() -> None:
        hosted.fail("POST", "/webhooks/*", status=404, code=10015)

    core.answers.append(says("one", "two", then=expire))
    await hosted.ann.slash(hosted.channel, "help")
    assert hosted.texts() == ["one", "two"]


async def test_a_command_that_discord_gave_up_on_is_answered_in_the_channel(
    hosted: HostedDiscord, core: ScriptedCore
) -> None:
    """A busy machine may say too late that an answer will come."""
    hosted.env.inject_error("POST", "/interactions/*", status=404, code=10062, message="Unknown interaction")
    await hosted.ann.slash(hosted.channel, "help")
    assert hosted.texts() == ["/help"]


async def test_nothing_is_left_that_thinks_for_ever(hosted: HostedDiscord, core: ScriptedCore) -> None:
    """Whoever is not let in is not answered before others."""

    async def nothing(_message: IncomingMessage, _target: ReplyTarget) -> None:
        return

    core.answers.append(nothing)
    result = await hosted.ann.slash(hosted.channel, "help")
    assert result.response is None
    assert hosted.texts() == []


async def test_a_file_can_be_the_answer(hosted: HostedDiscord, core: ScriptedCore) -> None:
    """In the place of “thinking …”, and after an answer."""

    async def export(_message: IncomingMessage, target: ReplyTarget) -> None:
        await target.send_file("talk.md", b"# Talk", "Here you are")
        await target.send_file("talk.json", b"{}", "And this")

    core.answers.append(export)
    result = await hosted.ann.slash(hosted.channel, "help")
    assert result.response is not None
    assert [file.filename for file in result.response.attachments] == ["talk.md"]
    assert [file.filename for file in result.followups[0].attachments] == ["talk.json"]


async def test_a_command_during_the_drain_is_declined(hosted: HostedDiscord, core: ScriptedCore) -> None:
    """Discord hands it over only once."""
    await hosted.adapter.drain()
    result = await hosted.ann.slash(hosted.channel, "help")
    assert result.ephemeral
    assert result.response is not None
    assert "restarted" in result.response.content
    assert not core.received


async def test_context_menus_are_commands_about_a_message() -> None:
    """Regenerate and Continue act at once; Extract asks which schema, where there are several."""
    core = WideCore()
    async with HostedDiscord.open(core) as hosted:
        sent = await hosted.ann.send(hosted.channel, "2 eggs, 1 l of milk")
        await hosted.ann.context_menu(hosted.channel, "Regenerate", sent)
        await hosted.ann.context_menu(hosted.channel, "Continue", sent)
        question = await hosted.ann.context_menu(hosted.channel, "Extract", sent)
        assert question.ephemeral
        assert question.response is not None
        await hosted.ann.select(question.response, ["bill"])
    _, *commands = core.received
    assert [message.text for message in commands] == ["/retry", "/continue", "/extract bill"]
    assert {message.reply_to for message in commands} == {str(sent.id)}
    assert {message.reply_text for message in commands} == {"2 eggs, 1 l of milk"}


async def test_a_menu_without_its_command_is_not_shown(hosted: HostedDiscord) -> None:
    """A menu stands for a command of the core."""
    (published,) = hosted.bodies("PUT", "/commands")
    assert not [command for command in published if command["type"] == 3]


async def test_commands_that_cannot_be_published_do_not_keep_the_bot_away(core: ScriptedCore) -> None:
    """Messages are answered all the same."""
    fault = {"method": "PUT", "path": "/applications/*/commands", "status": 403, "code": 50001}
    async with HostedDiscord.open(core, faults=[fault]) as hosted:
        await hosted.ann.send_dm("hi")
    assert [message.text for message in core.received] == ["hi"]
