"""/help, /start, /status, /stats and /whoami."""

import pytest

from tests.chat.conftest import OpenBench
from tests.support.chat_bench import ChatBench


async def test_help_names_every_command_and_alias(bench: ChatBench) -> None:
    """What a menu shows, help shows too; here to an admin, who may do everything."""
    reply = (await bench.say("/help", local=True)).reply
    for spec in bench.service.commands:
        assert f"- /{spec.name}" in reply
        assert all(f"/{alias}" in reply for alias in spec.aliases)
        assert spec.summary in reply
        assert len(spec.summary) <= 100


async def test_the_commands_are_those_everybody_knows(bench: ChatBench) -> None:
    """Names and aliases, as people know them from other bots."""
    names = {name for spec in bench.service.commands for name in (spec.name, *spec.aliases)}
    assert " ".join(sorted(names)) == (
        "cancel character continue export extract forget help history link mode new pairing persona records resend "
        "reset retry schemas start stats status stop undo whoami"
    )


@pytest.mark.parametrize("command", ["/start", "/start deep-link-payload"])
async def test_start_is_the_welcome_of_the_persona(bench: ChatBench, command: str) -> None:
    """A persona without one introduces itself."""
    assert (await bench.say(command)).reply == "Hello!"
    await bench.say("/persona pirate")
    assert "I am pirate" in (await bench.say(command)).reply


async def test_status_tells_model_persona_line_and_context(bench: ChatBench) -> None:
    """It is answered at once, also while a reply is being written, and counts exactly."""
    await bench.say("one two three")
    reply = bench.engine.enqueue("x", held=True)
    task, _ = bench.start("b")
    await reply.written.wait()
    # Persona 4, message 5, reply 6, an empty next message 2, the opening of its reply 1.
    assert (await bench.say("/status")).reply.splitlines() == [
        "- Model: scripted",
        "- Persona: Hearth",
        "- Line: 1 of at most 2 being answered, 0 waiting",
        "- Context: 18 of 400 tokens (4%), 1 exchange",
    ]
    reply.release()
    await task


async def test_stats_sum_up_a_person_and_the_last_reply(bench: ChatBench) -> None:
    """Totals go over all of the person's conversations, and over nobody else's."""
    await bench.say("a")
    await bench.say("/new")
    await bench.say("b")
    await bench.say("c", user="bob")
    lines = (await bench.say("/stats")).reply.splitlines()
    assert lines[0] == "- You: 2 messages in 2 conversations"
    assert lines[1] == "- Read: 16 tokens, 0 of them known already"
    assert lines[2] == "- Written: 4 tokens, 10.0 a second"
    assert lines[3] == (
        "- Last reply: read 8 tokens (0 known already, the others at 80.0 a second), wrote 2 (5.0 a second), "
        "first word after 0.1 s"
    )


async def test_stats_of_a_newcomer_are_zero(bench: ChatBench) -> None:
    """No reply means no figures, not a division by zero."""
    assert (await bench.say("/stats")).reply.splitlines()[1:] == [
        "- Read: 0 tokens, 0 of them known already",
        "- Written: 0 tokens",
    ]


async def test_whoami_tells_the_id_that_the_configuration_wants(open_bench: OpenBench) -> None:
    """With the name, the rights and the chat."""
    async with open_bench(permissions={"users": {"admin_ids": ["test:ann"]}}) as bench:
        assert (await bench.say("/whoami", sender_name="Ann")).reply == (
            "You are Ann. Your id is test:ann, and you are an admin. This chat is test:ann."
        )
