"""Which texts are commands."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.chat.commands.parser import ParsedCommand, parse_command


@pytest.mark.parametrize(
    ("text", "name", "argument"),
    [
        ("/help", "help", ""),
        ("  /Help  ", "help", ""),
        ("/persona pirate", "persona", "pirate"),
        ("/persona@hearth_bot  the pirate ", "persona", "the pirate"),
        ("/extract name\nage\n\ntext", "extract", "name\nage\n\ntext"),
        ("/new\n", "new", ""),
        ("/hilfe_ä", "hilfe_ä", ""),
    ],
)
def test_a_command_is_a_name_and_an_argument(text: str, name: str, argument: str) -> None:
    """Case, a bot's name and the space around do not matter; the argument may have many lines."""
    assert parse_command(text) == ParsedCommand(name=name, argument=argument)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/",
        "//new",
        "/ new",
        "/etc/passwd is a file",
        "/etc/passwd",
        "/24 is a subnet",
        "/usr, /etc and so on",
        "say /help",
        "/new?",
        "hello",
        "/_x",
    ],
)
def test_what_only_looks_like_a_command_is_a_message(text: str) -> None:
    """Paths, fractions and slashes in a sentence are for the model."""
    assert parse_command(text) is None


@given(
    name=st.from_regex(r"[a-zA-Z][a-zA-Z0-9_]{0,31}", fullmatch=True),
    bot=st.none() | st.from_regex(r"[a-zA-Z0-9_]{5,32}", fullmatch=True),
    space=st.text(alphabet=" \n\t", min_size=1, max_size=3),
    argument=st.text(max_size=200),
)
def test_every_platform_name_and_argument_is_understood(name: str, bot: str | None, space: str, argument: str) -> None:
    """Whatever Telegram allows as a command comes out as its lower-case name and the argument as it was written."""
    text = f"/{name}{f'@{bot}' if bot else ''}{space}{argument}"
    assert parse_command(text) == ParsedCommand(name=name.lower(), argument=argument.strip())


@given(st.text())
def test_any_text_is_a_command_or_a_message(text: str) -> None:
    """Parsing never fails, and only a text that starts with a slash is a command."""
    parsed = parse_command(text)
    assert parsed is None or (text.strip().startswith("/") and text.strip()[1:].lower().startswith(parsed.name[0]))
