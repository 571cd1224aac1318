"""Finding commands."""

import pytest

from bot.chat.commands.command import CommandCall, ImmediateCommand
from bot.chat.commands.registry import CommandRegistry
from bot.errors import InvalidRequestError
from bot.messages import CommandSpec


async def _run(call: CommandCall) -> None:
    raise AssertionError


def _command(name: str, *aliases: str, argument: str = "") -> ImmediateCommand:
    return ImmediateCommand(spec=CommandSpec(name=name, aliases=aliases, summary=name, argument=argument), run=_run)


REGISTRY = CommandRegistry(
    [_command("new", "reset"), _command("stop"), _command("stats"), _command("persona", argument="[name]")]
)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("/nwe", "Did you mean /new?"),
        ("/rest", "Did you mean /reset?"),
        ("/pers", "Did you mean /persona?"),
        ("/st", "Did you mean /st"),
        ("/xyzzy", "Send /help"),
    ],
)
def test_an_unknown_name_gets_the_nearest(text: str, hint: str) -> None:
    """By spelling or by a beginning that only one command has; /help where nothing is near."""
    with pytest.raises(InvalidRequestError) as error:
        REGISTRY.resolve(text)
    assert hint in error.value.user_text


def test_an_argument_that_nobody_takes_is_refused() -> None:
    """A command that takes one gets it."""
    found = REGISTRY.resolve("/persona pirate")
    assert found is not None
    assert found.argument == "pirate"
    with pytest.raises(InvalidRequestError, match="stands alone"):
        REGISTRY.resolve("/reset now")


def test_no_name_is_given_twice() -> None:
    """A second command of a name would hide the first."""
    with pytest.raises(ValueError, match="/reset"):
        CommandRegistry([_command("new", "reset"), _command("reset")])


def test_what_admins_may_do_does_not_exist_for_others() -> None:
    """The name is unknown to them, also as a suggestion."""
    secret = ImmediateCommand(spec=CommandSpec(name="reload", summary="reload", admin=True), run=_run)
    registry = CommandRegistry([_command("new"), secret])
    assert registry.resolve("/reload", admin=True) is not None
    for text in ("/reload", "/relaod", "/rel"):
        with pytest.raises(InvalidRequestError) as error:
            registry.resolve(text)
        assert "Did you mean" not in error.value.user_text
