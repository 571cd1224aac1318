from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document

from adapters.console.command_completer import CommandCompleter
from tests.support.scripted_core import ScriptedCore


def completions(text: str) -> list[str]:
    """Return what is offered after this text."""
    completer = CommandCompleter(ScriptedCore.commands)
    return [each.text for each in completer.get_completions(Document(text), CompleteEvent())]


def test_commands_are_completed_after_a_slash() -> None:
    """All of them after the slash alone, then those that fit, by name or alias, and never in the middle of a text."""
    assert completions("/") == ["help", "new", "persona"]
    assert completions("/P") == ["persona"]
    assert completions("/res") == ["reset"]
    assert completions("tell me /") == []
    assert completions("/help\n/") == []


def test_known_values_are_completed_after_the_command() -> None:
    """A persona is completed by the beginning of its name."""
    assert completions("/persona ") == ["hearth", "pirate"]
    assert completions("/persona PI") == ["pirate"]
    assert completions("/new x") == []
