"""Commands that steer the conversation."""

from collections.abc import Sequence

from bot.chat.commands.command import Command, CommandCall, ImmediateCommand, LineCommand
from bot.chat.conversation_finder import ConversationFinder
from bot.chat.excerpt import excerpt
from bot.chat.lines import Lines
from bot.chat.personas import Personas
from bot.chat.reply import show_reply
from bot.chat.ticket import Ticket
from bot.chat.turn_writer import TurnWriter
from bot.messages import CommandSpec
from bot.storage.conversation_repository import ConversationRepository
from bot.storage.turn_repository import TurnRepository


class ConversationCommands:
    """`/new`, `/stop`, `/retry`, `/undo` and `/continue`."""

    def __init__(
        self,
        *,
        finder: ConversationFinder,
        conversations: ConversationRepository,
        turns: TurnRepository,
        writer: TurnWriter,
        lines: Lines,
        personas: Personas,
    ) -> None:
        self._conversations = conversations
        self._finder = finder
        self._turns = turns
        self._writer = writer
        self._lines = lines
        self._personas = personas

    def commands(self) -> Sequence[Command]:
        """In the order of a menu."""
        return (
            LineCommand(
                spec=CommandSpec(name="new", aliases=("reset",), summary="Start a new conversation"),
                run=self._new,
                interrupts=True,
            ),
            ImmediateCommand(
                spec=CommandSpec(name="stop", aliases=("cancel",), summary="Stop the reply that is being written"),
                run=self._stop,
            ),
            LineCommand(
                spec=CommandSpec(name="retry", aliases=("resend",), summary="Answer my last message again"),
                run=self._retry,
                interrupts=True,
            ),
            LineCommand(
                spec=CommandSpec(name="undo", summary="Take back my last message and its reply"),
                run=self._undo,
                interrupts=True,
            ),
            LineCommand(
                spec=CommandSpec(name="continue", summary="Go on writing the last reply"),
                run=self._continue,
            ),
        )

    async def _new(self, call: CommandCall, _ticket: Ticket) -> None:
        persona = self._personas.default
        await self._conversations.start_new(call.message.key, persona=persona.key)
        await call.say(persona.welcome_message or "This is a new conversation. What is on your mind?")

    async def _stop(self, call: CommandCall) -> None:
        ticket = self._lines.serving(call.message.key)
        if ticket is None:
            await call.say("There is nothing to stop.")
            return
        ticket.stop()
        await call.say("Stopped.")

    async def _retry(self, call: CommandCall, ticket: Ticket) -> None:
        conversation, _ = await self._finder.find(call.message.key)
        turn = await self._turns.last(conversation.id)
        if turn is None:
            await call.say("There is no message to answer again yet.")
            return
        await show_reply(ticket, call.delivery, self._writer.answer_again(ticket, conversation, turn))

    async def _undo(self, call: CommandCall, _ticket: Ticket) -> None:
        conversation, _ = await self._finder.find(call.message.key)
        turn = await self._turns.last(conversation.id)
        if turn is None:
            await call.say("There is nothing to take back.")
            return
        await self._writer.take_back(conversation, turn)
        await call.say(f"Taken back: “{excerpt(turn.text)}”")

    async def _continue(self, call: CommandCall, ticket: Ticket) -> None:
        conversation, _ = await self._finder.find(call.message.key)
        turn = await self._turns.last(conversation.id)
        if turn is None:
            await call.say("There is no reply to go on with yet.")
        elif not turn.reply:
            await call.say("Your last message has no reply that I could go on with. Send /retry to have it answered.")
        else:
            await show_reply(ticket, call.delivery, self._writer.go_on(ticket, conversation, turn, turn.reply))
