"""Commands for what is stored of a person."""

from collections.abc import Sequence

from bot.chat.access import identity_of
from bot.chat.commands.command import Command, CommandCall, ImmediateCommand, LineCommand
from bot.chat.confirmations import Confirmations
from bot.chat.conversation_finder import ConversationFinder
from bot.chat.counted import counted
from bot.chat.excerpt import excerpt
from bot.chat.generator import TextGenerator, engine_user, owner, summary_user
from bot.chat.lines import Lines
from bot.chat.summariser import Summariser
from bot.chat.ticket import Ticket
from bot.chat.transcript import Transcript
from bot.messages import CommandSpec
from bot.storage.access_records import Identity
from bot.storage.conversation_repository import ConversationRepository
from bot.storage.link_repository import LinkRepository
from bot.storage.records import Turn
from bot.storage.summary_repository import SummaryRepository
from bot.storage.turn_repository import TurnRepository

_RECENT = 10
_CONFIRM = "confirm"
_REQUESTS_OF = (engine_user, summary_user)


class DataCommands:
    """`/history`, `/export` and `/forget`."""

    def __init__(
        self,
        *,
        finder: ConversationFinder,
        generator: TextGenerator,
        conversations: ConversationRepository,
        turns: TurnRepository,
        summaries: SummaryRepository,
        summariser: Summariser,
        lines: Lines,
        confirmations: Confirmations,
        links: LinkRepository,
    ) -> None:
        self._generator = generator
        self._conversations = conversations
        self._finder = finder
        self._turns = turns
        self._summaries = summaries
        self._summariser = summariser
        self._lines = lines
        self._confirmations = confirmations
        self._links = links

    def commands(self) -> Sequence[Command]:
        """In the order of a menu."""
        return (
            ImmediateCommand(
                spec=CommandSpec(name="history", summary="Show our last messages in this conversation"),
                run=self._history,
            ),
            LineCommand(
                spec=CommandSpec(name="export", summary="Send me this conversation as Markdown and JSON"),
                run=self._export,
            ),
            ImmediateCommand(
                spec=CommandSpec(
                    name="forget",
                    summary="Delete everything that is stored of me",
                    argument=f"[{_CONFIRM}]",
                    choices=(_CONFIRM,),
                ),
                run=self._forget,
            ),
        )

    async def _history(self, call: CommandCall) -> None:
        conversation, persona = await self._finder.find(call.message.key)
        turns = await self._turns.all(conversation.id)
        if not turns:
            await call.say("This conversation is empty so far.")
            return
        shown = turns[-_RECENT:]
        older = len(turns) - len(shown)
        lines = [f"The last {len(shown)} of {len(turns)} messages:" if older else "This conversation so far:"]
        for turn in shown:
            lines += [
                f"- {turn.created_at:%Y-%m-%d %H:%M} UTC, you: {excerpt(turn.text)}",
                f"  {persona.name}: {_reply(turn)}",
            ]
        await call.say("\n".join(lines))

    async def _export(self, call: CommandCall, _ticket: Ticket) -> None:
        conversation, _ = await self._finder.find(call.message.key)
        turns = await self._turns.all(conversation.id)
        if not turns:
            await call.say("This conversation is empty so far; there is nothing to export.")
            return
        transcript = Transcript(conversation, turns, await self._summaries.of(conversation.id))
        name = f"conversation-{conversation.id}"
        sent = await call.delivery.send_file(
            f"{name}.md", transcript.markdown().encode(), "This conversation, for reading"
        ) and await call.delivery.send_file(
            f"{name}.json", transcript.json().encode(), "This conversation, for programs"
        )
        if sent:
            await call.say(f"That is all of this conversation: {counted(len(turns), 'message')}.")
        else:
            await call.say("I could not send you the files here. Please try again later.")

    async def _forget(self, call: CommandCall) -> None:
        adapter, user = call.message.adapter, call.message.user
        if call.argument.casefold() == _CONFIRM:
            if not self._confirmations.take(adapter, user):
                await call.say("Nothing was asked in the last two minutes. Send /forget first.")
                return
            count = sum([await self._forget_account(each) for each in await self._accounts(call)])
            await call.say(f"Done. I have deleted everything of yours, {counted(count, 'conversation')}, for good.")
            return
        if call.argument:
            await call.say(f"Send /forget, and then /forget {_CONFIRM} to have everything of yours deleted.")
            return
        self._confirmations.ask(adapter, user)
        accounts = await self._accounts(call)
        stored = [
            each for account in accounts for each in await self._conversations.of_user(account.adapter, account.user)
        ]
        also = f" and as {' and '.join(map(str, accounts[1:]))}" if len(accounts) > 1 else ""
        await call.say(
            f"This deletes everything that is stored of you, in all chats here{also} "
            f"({counted(len(stored), 'conversation')}), and cannot be undone. "
            f"Send /forget {_CONFIRM} within two minutes if you are sure. "
            "/export gives you a copy of this conversation first."
        )

    async def _accounts(self, call: CommandCall) -> list[Identity]:
        """All accounts of the person, this one first."""
        this = identity_of(call.message)
        return [this, *(each for each in await self._links.accounts(this) if each != this)]

    async def _forget_account(self, account: Identity) -> int:
        adapter, user = account.adapter, account.user
        shared = await self._conversations.shared_with(adapter, user)
        async with self._lines.paused(adapter, user, shared=[each.key for each in shared]):
            conversations = [*await self._conversations.of_user(adapter, user), *shared]
            await self._summariser.abandon(conversation.id for conversation in conversations)
            owners = dict.fromkeys((user, *(owner(each.key) for each in shared)))
            await self._generator.forget([whose(adapter, each) for each in owners for whose in _REQUESTS_OF])
            return await self._conversations.forget_user(adapter, user)


def _reply(turn: Turn) -> str:
    match turn.status:
        case "pending":
            return "(being answered)"
        case "done":
            return excerpt(turn.reply or "")
        case _:
            return "(not answered; /retry answers the last message)"
