"""Puts the parts of the chat together."""

from bot.chat.access import AccessPolicy
from bot.chat.clock import Clock, SystemClock
from bot.chat.commands.conversation import ConversationCommands
from bot.chat.commands.data import DataCommands
from bot.chat.commands.help import HelpCommands
from bot.chat.commands.info import InfoCommands
from bot.chat.commands.persona import PersonaCommands
from bot.chat.commands.registry import CommandRegistry
from bot.chat.confirmations import Confirmations
from bot.chat.conversation_context import ConversationContext
from bot.chat.conversation_finder import ConversationFinder
from bot.chat.generator import TextGenerator
from bot.chat.lines import Lines
from bot.chat.personas import Personas
from bot.chat.prompt import PromptFitter
from bot.chat.service import ChatService
from bot.chat.stored_book import StoredBook
from bot.chat.summariser import Summariser
from bot.chat.turn_writer import TurnWriter
from bot.messages import CommandSpec
from bot.settings import Configuration
from bot.storage.adapter_value_repository import AdapterValueRepository
from bot.storage.conversation_repository import ConversationRepository
from bot.storage.database import Database
from bot.storage.heading_repository import HeadingRepository
from bot.storage.summary_repository import SummaryRepository
from bot.storage.turn_repository import TurnRepository


def compose_chat(
    *, configuration: Configuration, generator: TextGenerator, database: Database, clock: Clock | None = None
) -> ChatService:
    """The chat over an open database and a running engine, both of which stay the caller's to close."""
    clock = clock or SystemClock()
    conversations = ConversationRepository(database)
    turns = TurnRepository(database)
    personas = Personas.of(configuration)
    finder = ConversationFinder(conversations, personas)
    lines = Lines(max_waiting=configuration.engine.max_waiting_per_user)
    fitter = PromptFitter(generator, keep_after_cut=configuration.history.keep_after_cut)
    summaries = SummaryRepository(database)
    summariser = Summariser(
        generator=generator,
        conversations=conversations,
        turns=turns,
        summaries=summaries,
        personas=personas,
        fitter=fitter,
        clock=clock,
        enabled=configuration.history.overflow == "summarise",
    )
    context = ConversationContext(
        conversations=conversations,
        turns=turns,
        summaries=summaries,
        summariser=summariser,
        fitter=fitter,
        overflow=configuration.history.overflow,
    )
    writer = TurnWriter(
        generator=generator,
        turns=turns,
        personas=personas,
        finder=finder,
        fitter=fitter,
        context=context,
        summariser=summariser,
    )

    def specs() -> tuple[CommandSpec, ...]:
        return registry.specs

    registry = CommandRegistry(
        [
            *HelpCommands(specs).commands(),
            *ConversationCommands(
                finder=finder,
                conversations=conversations,
                turns=turns,
                writer=writer,
                lines=lines,
                personas=personas,
            ).commands(),
            *PersonaCommands(finder=finder, conversations=conversations, personas=personas).commands(),
            *InfoCommands(finder=finder, generator=generator, turns=turns, context=context).commands(),
            *DataCommands(
                finder=finder,
                generator=generator,
                conversations=conversations,
                turns=turns,
                summaries=summaries,
                summariser=summariser,
                lines=lines,
                confirmations=Confirmations(clock),
            ).commands(),
        ]
    )
    return ChatService(
        model=generator,
        book=StoredBook(
            headings=HeadingRepository(database),
            conversations=conversations,
            turns=turns,
            personas=personas,
            generator=generator,
            summariser=summariser,
            lines=lines,
        ),
        store=AdapterValueRepository(database),
        access=AccessPolicy(configuration.permissions),
        registry=registry,
        lines=lines,
        writer=writer,
        summariser=summariser,
        clock=clock,
    )
