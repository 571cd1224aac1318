"""What of the chat depends on the configuration."""

from dataclasses import dataclass

from bot.book import ConversationBook
from bot.chat.access import AccessPolicy
from bot.chat.announcer import Announcer
from bot.chat.attachments import Attachments
from bot.chat.commands.registry import CommandRegistry
from bot.chat.entrance import Entrance
from bot.chat.front_door import FrontDoor
from bot.chat.presses import Presses
from bot.chat.quotas import Quotas
from bot.chat.summariser import Summariser
from bot.chat.turn_writer import TurnWriter
from bot.people import PeopleRegister
from bot.settings import DeliverySettings, HistoryScope


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatParts:
    """Everything that holds settings, made from one configuration and replaced as a whole by that of another.

    A message is served by the parts that are current when its turn comes, to its end. What outlives a change of the
    configuration (who waits, what was asked, open connections) is no part: it belongs to `ChatComposer`.
    """

    access: AccessPolicy
    entrance: Entrance
    announcer: Announcer
    quotas: Quotas
    registry: CommandRegistry
    writer: TurnWriter
    summariser: Summariser
    book: ConversationBook
    presses: Presses
    attachments: Attachments
    delivery: DeliverySettings
    scope: HistoryScope
    """Who shares a conversation in groups."""
    people: PeopleRegister
    door: FrontDoor
    max_waiting: int
    """How many messages may wait in one conversation's line."""

    async def retire(self) -> None:
        """Begin nothing any more; what is being answered goes on to its end."""
        await self.summariser.close()
