"""Going on with another configuration."""

from typing import Any

from bot.settings import Configuration
from tests.support.chat_bench import CONFIGURATION, ChatBench


def _changed(**sections: Any) -> Configuration:
    return Configuration.model_validate(CONFIGURATION | sections)


async def test_a_persona_changes_from_the_next_message_on(bench: ChatBench) -> None:
    """The reply under way is written with the old one; who waits behind it gets the new one, and keeps the place."""
    reply = bench.engine.enqueue("old", held=True)
    first, shown = bench.start("a")
    second, later = bench.start("b")
    await reply.written.wait()
    await bench.service.apply(_changed(personas={"hearth": {"system_prompt": "Be brief."}}))
    reply.release()
    await first
    await second
    assert (shown.reply, later.reply) == ("old", "re: b")
    assert [prompt[0] for prompt in bench.engine.prompts] == ["Be kind.", "Be brief."]


async def test_access_changes_at_once(bench: ChatBench) -> None:
    """Who was let in is not any more, and the other way round."""
    assert (await bench.say("a")).reply == "re: a"
    await bench.service.apply(_changed(permissions={}))
    assert "your id is test:ann" in (await bench.say("b")).reply.casefold()
    await bench.service.apply(_changed(permissions={"users": {"allowed_ids": ["test:ann"]}}))
    assert (await bench.say("c")).reply == "re: c"


async def test_a_summary_that_is_being_written_is_given_up(bench: ChatBench) -> None:
    """What it would follow has changed; the next turn sees to another."""
    await bench.service.apply(_changed(history={"overflow": "summarise"}))
    await bench.say("word " * 230)
    assert bench.summarising
    await bench.service.apply(_changed(history={"overflow": "drop"}))
    assert not bench.summarising
