"""The conversations that are stored, for those who read in them."""

from collections.abc import Sequence
from typing import cast

from bot.book import Heading, OpenConversation, PastStatus, PastTurn, PersonaCard
from bot.chat.excerpt import excerpt
from bot.chat.generator import TextGenerator, engine_user, summary_user
from bot.chat.lines import Lines
from bot.chat.personas import Personas
from bot.chat.summariser import Summariser
from bot.messages import ConversationKey
from bot.storage.access_records import Identity
from bot.storage.conversation_repository import ConversationRepository
from bot.storage.heading_repository import HeadingRepository
from bot.storage.link_repository import LinkRepository
from bot.storage.records import Turn
from bot.storage.turn_repository import TurnRepository


class StoredBook:
    """A `ConversationBook` over the database."""

    def __init__(
        self,
        *,
        headings: HeadingRepository,
        conversations: ConversationRepository,
        turns: TurnRepository,
        personas: Personas,
        generator: TextGenerator,
        summariser: Summariser,
        lines: Lines,
        links: LinkRepository,
    ) -> None:
        self._headings = headings
        self._conversations = conversations
        self._turns = turns
        self._personas = personas
        self._generator = generator
        self._summariser = summariser
        self._lines = lines
        self._links = links

    @property
    def personas(self) -> Sequence[PersonaCard]:
        """Who can be talked to, the default one first."""
        default = self._personas.default
        return [
            PersonaCard(
                key=persona.key,
                name=persona.name,
                description=persona.description,
                welcome_message=persona.welcome_message,
            )
            for persona in (default, *(each for each in self._personas if each is not default))
        ]

    async def headings(self, adapter: str, user: str, *, search: str = "", limit: int = 200) -> Sequence[Heading]:
        """A person's conversations that have a message, latest first."""
        link = await self._links.of(Identity(adapter=adapter, user=user))
        owner, chat = (link.home, link.home_chat) if link else (Identity(adapter=adapter, user=user), None)
        return [
            Heading(
                chat=link.chat if link else each.chat,
                thread=each.thread,
                title=each.title or excerpt(each.first_text),
                persona=self._personas.get(each.persona).key,
                changed_at=each.changed_at,
            )
            for each in await self._headings.of_user(owner.adapter, owner.user, search=search, limit=limit)
            if chat in {None, each.chat}
        ]

    async def read(self, key: ConversationKey) -> OpenConversation | None:
        """The conversation of `key`; None where there is none."""
        conversation = await self._conversations.find(await self._stored(key))
        if conversation is None:
            return None
        turns = await self._turns.all(conversation.id)
        return OpenConversation(
            title=conversation.title or (excerpt(turns[0].text) if turns else ""),
            persona=self._personas.get(conversation.persona).key,
            turns=[self._past(turn) for turn in turns],
        )

    async def rename(self, key: ConversationKey, title: str) -> bool:
        """Give it a name, or take the name away."""
        conversation = await self._conversations.find(await self._stored(key))
        if conversation is not None:
            await self._conversations.set_title(conversation.id, title)
        return conversation is not None

    async def delete(self, key: ConversationKey) -> bool:
        """Stop what is being written in it and delete it, with what was evaluated of this person's conversations."""
        key = await self._stored(key)
        async with self._lines.paused(key.adapter, key.user, only=key):
            theirs = await self._conversations.of_user(key.adapter, key.user)
            await self._summariser.abandon(each.id for each in theirs if each.key == key)
            await self._generator.forget([engine_user(key.adapter, key.user), summary_user(key.adapter, key.user)])
            return bool(await self._conversations.delete(key))

    async def _stored(self, key: ConversationKey) -> ConversationKey:
        """Where it is kept: with another account of the same person, where this one was linked to it."""
        link = await self._links.of(Identity(adapter=key.adapter, user=key.user))
        if link is None or link.chat != key.chat:
            return key
        return ConversationKey(adapter=link.home.adapter, chat=link.home_chat, thread=key.thread, user=link.home.user)

    def _past(self, turn: Turn) -> PastTurn:
        return PastTurn(
            message_id=turn.message_id,
            text=turn.text,
            status=cast("PastStatus", turn.status),  # discarded ones are not among them
            reply=turn.reply,
            reasoning=turn.reasoning if self._personas.get(turn.persona).reasoning == "show" else "",
            facts=turn.facts,
            error_code=turn.error_code,
            persona=self._personas.get(turn.persona).key,
            created_at=turn.created_at,
        )
