"""/persona."""

import pytest

from tests.chat.conftest import OpenBench
from tests.support.chat_bench import CONFIGURATION, ChatBench


@pytest.mark.parametrize("command", ["/persona", "/mode", "/character"])
async def test_the_list_marks_the_current_one(bench: ChatBench, command: str) -> None:
    """Every persona is there with its description."""
    assert (await bench.say(command)).reply.splitlines()[1:3] == [
        "- ✓ hearth (Hearth): a friend",
        "- pirate: a sailor",
    ]


async def test_a_persona_is_chosen_for_this_conversation_only(bench: ChatBench) -> None:
    """The history stays; other people and the next conversation have the default."""
    await bench.say("a")
    assert "pirate" in (await bench.say("/persona PIRATE")).reply
    await bench.say("b")
    assert bench.engine.prompts[-1] == ["Talk like a pirate.", "a", "re: a", "b"]
    await bench.say("b", user="bob")
    assert bench.engine.prompts[-1][0] == "Be kind."
    await bench.say("/new")
    await bench.say("c")
    assert bench.engine.prompts[-1] == ["Be kind.", "c"]


async def test_a_persona_with_a_welcome_says_it(bench: ChatBench) -> None:
    """The display name works as well as the key."""
    await bench.say("/persona pirate")
    assert (await bench.say("/persona Hearth")).reply == "Hello!"


async def test_a_typo_gets_the_nearest_name_and_changes_nothing(bench: ChatBench) -> None:
    """The list follows, so that the person need not ask for it."""
    reply = (await bench.say("/persona pirat")).reply
    assert "Did you mean pirate?" in reply
    assert "✓ hearth" in reply
    assert "Did you mean" not in (await bench.say("/persona xyz")).reply


async def test_menus_know_the_personas(bench: ChatBench) -> None:
    """Adapters complete them."""
    (spec,) = [spec for spec in bench.service.commands if spec.name == "persona"]
    assert spec.choices == ("hearth", "pirate")


async def test_a_persona_that_the_owner_removed_is_replaced_by_the_default(open_bench: OpenBench) -> None:
    """A conversation outlives the configuration it began with."""
    async with open_bench() as bench:
        await bench.say("/persona pirate")
    only = {"hearth": CONFIGURATION["personas"]["hearth"]}
    async with open_bench(personas=only) as bench:
        await bench.say("a")
        assert bench.engine.prompts[-1] == ["Be kind.", "a"]
