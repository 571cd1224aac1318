"""A strict Bot API server for tests, written from https://core.telegram.org/bots/api.

It listens on a real loopback port and refuses what the real one refuses; where sources disagree, the stricter reading
holds. `BotApiServer` is the server and the world behind it: `server.private_chat("Ann").say("Hello")` is a person who
writes, `server.messages(chat)` is what stands in a chat, `server.calls` is everything the bot asked for.
"""

from tests.support.bot_api.api_error import ApiError
from tests.support.bot_api.bot_api_server import BotApiServer
from tests.support.bot_api.call import Call
from tests.support.bot_api.fake_chat import FakeChat
from tests.support.bot_api.stored_message import StoredMessage

__all__ = ["ApiError", "BotApiServer", "Call", "FakeChat", "StoredMessage"]
