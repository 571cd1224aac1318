"""Which conversation a message belongs to, and who the bot is in it."""

from bot.chat.personas import Persona, Personas
from bot.messages import ConversationKey
from bot.storage.conversation_repository import ConversationRepository
from bot.storage.records import Conversation


class ConversationFinder:
    """Finds the current conversation of a key, or begins one with the default persona."""

    def __init__(self, conversations: ConversationRepository, personas: Personas) -> None:
        self._conversations = conversations
        self._personas = personas

    async def find(self, key: ConversationKey) -> tuple[Conversation, Persona]:
        """The conversation and its persona. Raises `StorageError`."""
        conversation = await self._conversations.current(key, default_persona=self._personas.default.key)
        return conversation, self._personas.get(conversation.persona)
