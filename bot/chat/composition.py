"""Puts the parts of the chat together."""

from collections.abc import Sequence

from bot.chat.access import AccessPolicy
from bot.chat.admission import Admission
from bot.chat.announcer import Announcer
from bot.chat.attachments import Attachments
from bot.chat.backlog import Backlog
from bot.chat.chat_parts import ChatParts
from bot.chat.claim_code import ClaimCode
from bot.chat.clock import Clock, SystemClock
from bot.chat.commands.command import Command
from bot.chat.commands.conversation import ConversationCommands
from bot.chat.commands.data import DataCommands
from bot.chat.commands.extract import ExtractCommands
from bot.chat.commands.help import HelpCommands
from bot.chat.commands.info import InfoCommands
from bot.chat.commands.link import LinkCommands
from bot.chat.commands.pairing import PairingCommands
from bot.chat.commands.persona import PersonaCommands
from bot.chat.commands.records import RecordCommands
from bot.chat.commands.registry import CommandRegistry
from bot.chat.commands.reload import Reload, ReloadCommands
from bot.chat.commands.schemas import SchemaCommands
from bot.chat.confirmations import Confirmations
from bot.chat.conversation_context import ConversationContext
from bot.chat.conversation_finder import ConversationFinder
from bot.chat.delivering.gates import Gates
from bot.chat.entrance import Entrance
from bot.chat.front_door import FrontDoor
from bot.chat.generator import TextGenerator
from bot.chat.letters import Letters
from bot.chat.lines import Lines
from bot.chat.messenger import Messenger
from bot.chat.outbox import Outbox
from bot.chat.pastes import Pastes
from bot.chat.personas import Personas
from bot.chat.platforms import Platforms
from bot.chat.presses import Presses
from bot.chat.prompt import PromptFitter
from bot.chat.quotas import Quotas
from bot.chat.schema_book import SchemaBook
from bot.chat.service import ChatService
from bot.chat.stored_book import StoredBook
from bot.chat.stored_people import StoredPeople
from bot.chat.summariser import Summariser
from bot.chat.turn_writer import TurnWriter
from bot.chat.welcomes import Welcomes
from bot.documents.document_reader import DocumentReader
from bot.extraction.extractor import Extractor
from bot.messages import CommandSpec
from bot.metrics import Metrics
from bot.settings import Configuration, PermissionSettings
from bot.storage.access_records import Identity
from bot.storage.adapter_value_repository import AdapterValueRepository
from bot.storage.answer_repository import AnswerRepository
from bot.storage.audit_repository import AuditRepository
from bot.storage.chat_move_repository import ChatMoveRepository
from bot.storage.conversation_repository import ConversationRepository
from bot.storage.database import Database
from bot.storage.heading_repository import HeadingRepository
from bot.storage.letter_repository import LetterRepository
from bot.storage.link_repository import LinkRepository
from bot.storage.pairing_repository import PairingRepository
from bot.storage.people_repository import PeopleRepository
from bot.storage.record_repository import RecordRepository
from bot.storage.schema_repository import SchemaRepository
from bot.storage.summary_repository import SummaryRepository
from bot.storage.turn_repository import TurnRepository
from bot.storage.usage_repository import UsageRepository


def compose_chat(
    *,
    configuration: Configuration,
    generator: TextGenerator,
    database: Database,
    clock: Clock | None = None,
    metrics: Metrics | None = None,
    reload: Reload | None = None,
) -> ChatService:
    """The chat over an open database and a running engine, both of which stay the caller's to close.

    `reload` is what `/reload` does; without it there is no such command.
    """
    composer = ChatComposer(generator=generator, database=database, clock=clock or SystemClock(), reload=reload)
    return ChatService(
        model=generator,
        metrics=metrics or Metrics(),
        store=AdapterValueRepository(database),
        lines=composer.lines,
        platforms=composer.platforms,
        outbox=composer.outbox,
        answers=composer.answers,
        pastes=Pastes(composer.clock),
        backlog=Backlog(composer.platforms, composer.clock),
        welcomes=composer.welcomes,
        letters=composer.letters,
        links=composer.links,
        compose=composer.compose,
        configuration=configuration,
    )


class ChatComposer:
    """Holds what lives as long as the chat, and makes the parts that depend on the configuration."""

    def __init__(
        self, *, generator: TextGenerator, database: Database, clock: Clock, reload: Reload | None = None
    ) -> None:
        self.clock = clock
        self.lines = Lines()
        self.platforms = Platforms()
        self._reload = reload
        self._audit = AuditRepository(database)
        self._people = PeopleRepository(database)
        self._moves = ChatMoveRepository(database)
        self._pairings = PairingRepository(database)
        self._usage = UsageRepository(database)
        self.links = LinkRepository(database)
        gates = Gates(clock)
        messenger = Messenger(self.platforms, gates)
        self.letters = Letters(letters=LetterRepository(database), messenger=messenger, clock=clock)
        self._claim = ClaimCode(clock)
        self.welcomes = Welcomes(
            pairings=self._pairings, people=self._people, messenger=messenger, letters=self.letters, clock=clock
        )
        self._generator = generator
        self._conversations = ConversationRepository(database)
        self._turns = TurnRepository(database)
        self._headings = HeadingRepository(database)
        self._summaries = SummaryRepository(database)
        self._records = RecordRepository(database)
        self._schemas = SchemaRepository(database)
        self._confirmations = Confirmations(clock)
        self.answers = AnswerRepository(database)
        self.outbox = Outbox(
            answers=self.answers,
            conversations=self._conversations,
            platforms=self.platforms,
            lines=self.lines,
            gates=gates,
            clock=clock,
        )

    def compose(self, configuration: Configuration) -> ChatParts:
        """The parts for a configuration."""
        personas = Personas.of(configuration)
        finder = ConversationFinder(self._conversations, personas)
        fitter = PromptFitter(self._generator, keep_after_cut=configuration.history.keep_after_cut)
        summariser = Summariser(
            generator=self._generator,
            conversations=self._conversations,
            turns=self._turns,
            summaries=self._summaries,
            personas=personas,
            fitter=fitter,
            clock=self.clock,
            enabled=configuration.history.overflow == "summarise",
        )
        context = ConversationContext(
            conversations=self._conversations,
            turns=self._turns,
            summaries=self._summaries,
            summariser=summariser,
            fitter=fitter,
            overflow=configuration.history.overflow,
        )
        quotas = Quotas(configuration.permissions.quotas, usage=self._usage, links=self.links, clock=self.clock)
        writer = TurnWriter(
            generator=self._generator,
            turns=self._turns,
            personas=personas,
            finder=finder,
            fitter=fitter,
            context=context,
            summariser=summariser,
            quotas=quotas,
        )
        permissions = configuration.permissions
        admins = [admin for name in permissions.users.admin_ids if (admin := Identity.parse(name)) is not None]
        announcer = Announcer(letters=self.letters, people=self._people, admins=admins)
        access = AccessPolicy(permissions, self._people, self._moves)
        entrance = Entrance(
            people=self._people,
            pairings=self._pairings,
            claim=self._claim,
            announcer=announcer,
            clock=self.clock,
            has_configured_admin=bool(admins),
        )
        return ChatParts(
            access=access,
            announcer=announcer,
            quotas=quotas,
            entrance=entrance,
            door=FrontDoor(access=access, entrance=entrance, claim=self._claim),
            registry=self._registry(
                personas=personas,
                finder=finder,
                writer=writer,
                context=context,
                summariser=summariser,
                permissions=permissions,
                extraction=self._extraction(configuration, quotas),
            ),
            writer=writer,
            summariser=summariser,
            book=StoredBook(
                headings=self._headings,
                conversations=self._conversations,
                turns=self._turns,
                personas=personas,
                generator=self._generator,
                summariser=summariser,
                lines=self.lines,
                links=self.links,
            ),
            presses=Presses(answers=self.answers, turns=self._turns, finder=finder, lines=self.lines),
            attachments=Attachments(
                DocumentReader(configuration.documents), max_files=configuration.documents.max_files
            ),
            delivery=configuration.delivery,
            scope=configuration.history.scope,
            people=StoredPeople(
                people=self._people,
                admission=Admission(people=self._people, pairings=self._pairings, permissions=permissions),
                permissions=permissions,
                clock=self.clock,
                welcome=self.welcomes.tell,
            ),
            max_waiting=configuration.engine.max_waiting_per_user,
        )

    def _extraction(self, configuration: Configuration, quotas: Quotas) -> Sequence[Command]:
        settings = configuration.extraction
        schemas = SchemaBook(configured=settings.named(), saved=self._schemas)
        return (
            *ExtractCommands(
                extractor=Extractor(self._generator, settings),
                schemas=schemas,
                records=self._records if settings.keep else None,
                documents=DocumentReader(configuration.documents),
                max_files=configuration.documents.max_files,
                quotas=quotas,
            ).commands(),
            *SchemaCommands(schemas).commands(),
            *RecordCommands(self._records, kept=settings.keep).commands(),
        )

    def _registry(
        self,
        *,
        personas: Personas,
        finder: ConversationFinder,
        writer: TurnWriter,
        context: ConversationContext,
        summariser: Summariser,
        permissions: PermissionSettings,
        extraction: Sequence[Command],
    ) -> CommandRegistry:
        admission = Admission(people=self._people, pairings=self._pairings, permissions=permissions)

        def specs() -> tuple[CommandSpec, ...]:
            return registry.specs

        commands: list[Command] = [
            *HelpCommands(specs).commands(),
            *ConversationCommands(
                finder=finder,
                conversations=self._conversations,
                turns=self._turns,
                writer=writer,
                lines=self.lines,
                personas=personas,
            ).commands(),
            *PersonaCommands(finder=finder, conversations=self._conversations, personas=personas).commands(),
            *InfoCommands(
                finder=finder, generator=self._generator, turns=self._turns, context=context, links=self.links
            ).commands(),
            *extraction,
            *DataCommands(
                finder=finder,
                generator=self._generator,
                conversations=self._conversations,
                turns=self._turns,
                summaries=self._summaries,
                summariser=summariser,
                lines=self.lines,
                confirmations=self._confirmations,
                links=self.links,
            ).commands(),
            *LinkCommands(links=self.links, pairings=self._pairings, clock=self.clock).commands(),
            *PairingCommands(admission=admission, welcomes=self.welcomes, clock=self.clock).commands(),
        ]
        if self._reload is not None:
            commands += ReloadCommands(reload=self._reload, audit=self._audit, clock=self.clock).commands()
        registry = CommandRegistry(commands)
        return registry
