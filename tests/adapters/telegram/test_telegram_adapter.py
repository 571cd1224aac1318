"""The adapter over a real socket."""

from tests.adapters.telegram.conftest import OpenAdapter
from tests.support.bot_api import BotApiServer
from tests.support.scripted_core import ScriptedCore


async def test_a_message_is_answered(server: BotApiServer, open_adapter: OpenAdapter) -> None:
    """What a person writes in a private chat reaches the core, and its answer reaches them."""
    core = ScriptedCore()
    ann = server.private_chat("Ann")
    async with open_adapter(core):
        said = ann.say("Hello **you**")
        await server.until(lambda: server.messages(ann))
    (message,) = core.received
    assert (message.adapter, message.chat, message.user) == ("telegram", str(ann.id), ann.user)
    assert (message.message_id, message.text, message.sender_name) == (str(said.id), "Hello **you**", "Ann")
    assert message.direct
    assert message.addressed
    (answer,) = server.messages(ann)
    assert answer.text == "Hello you"
    assert answer.formatted == [("bold", "you")]
    assert not server.updates.pending
