"""Commands that tell something."""

from collections.abc import Sequence
from functools import reduce

from bot.chat.access import identity_of
from bot.chat.commands.command import Command, CommandCall, ImmediateCommand
from bot.chat.conversation_context import ConversationContext
from bot.chat.conversation_finder import ConversationFinder
from bot.chat.counted import counted
from bot.chat.generator import TextGenerator
from bot.messages import CommandSpec, ReplyFacts
from bot.request import ChatMessage
from bot.storage.link_repository import LinkRepository
from bot.storage.records import Totals
from bot.storage.turn_repository import TurnRepository


class InfoCommands:
    """`/start`, `/status`, `/stats` and `/whoami`."""

    def __init__(
        self,
        *,
        finder: ConversationFinder,
        generator: TextGenerator,
        turns: TurnRepository,
        context: ConversationContext,
        links: LinkRepository,
    ) -> None:
        self._context = context
        self._generator = generator
        self._finder = finder
        self._turns = turns
        self._links = links

    def commands(self) -> Sequence[Command]:
        """In the order of a menu."""
        return (
            ImmediateCommand(
                spec=CommandSpec(name="status", summary="Show the model, the line and how full the context is"),
                run=self._status,
            ),
            ImmediateCommand(
                spec=CommandSpec(name="stats", summary="Show how much we have talked, and the last reply's figures"),
                run=self._stats,
            ),
            ImmediateCommand(
                spec=CommandSpec(name="whoami", summary="Show how I know you"),
                run=self._whoami,
            ),
            ImmediateCommand(
                spec=CommandSpec(name="start", summary="Say hello"),
                run=self._start,
                # A link into a Telegram chat starts it with a payload:
                # https://core.telegram.org/bots/features#deep-linking
                any_argument=True,
            ),
        )

    async def _start(self, call: CommandCall) -> None:
        _, persona = await self._finder.find(call.message.key)
        await call.say(
            persona.welcome_message or f"Hello! I am {persona.name}. Write to me, or send /help to see what I can do."
        )

    async def _status(self, call: CommandCall) -> None:
        conversation, persona = await self._finder.find(call.message.key)
        before, count = await self._context.messages(conversation, persona)
        # With a next message, empty so far: templates may insist on one of the user.
        messages = (*before, ChatMessage(role="user", content=""))
        used = await self._generator.count_prompt_tokens(messages, reasoning=persona.reasoning)
        engine = self._generator.status()
        lines = [
            f"- Model: {engine.model if engine.loaded else 'asleep until the next message'}",
            f"- Persona: {persona.name}",
            f"- Line: {engine.running} of at most {engine.max_parallel} being answered, {engine.waiting} waiting",
            f"- Context: {used:,} of {engine.n_ctx:,} tokens ({used * 100 // engine.n_ctx}%), "
            + counted(count, "exchange"),
        ]
        await call.say("\n".join(lines))

    async def _stats(self, call: CommandCall) -> None:
        message = call.message
        accounts = await self._links.accounts(identity_of(message))
        totals = reduce(Totals.plus, [await self._turns.totals(each.adapter, each.user) for each in accounts])
        conversation, _ = await self._finder.find(message.key)
        last = await self._turns.last(conversation.id)
        rate = f", {totals.completion_tokens * 1000 / totals.decode_ms:.1f} a second" if totals.decode_ms else ""
        lines = [
            f"- You: {counted(totals.turns, 'message')} in {counted(totals.conversations, 'conversation')}",
            f"- Read: {counted(totals.prompt_tokens, 'token')}, {totals.cached_tokens:,} of them known already",
            f"- Written: {counted(totals.completion_tokens, 'token')}{rate}",
        ]
        if last is not None and last.facts is not None:
            lines.append(f"- Last reply: {_described(last.facts)}")
        await call.say("\n".join(lines))

    async def _whoami(self, call: CommandCall) -> None:
        message = call.message
        name = f"You are {message.sender_name}. " if message.sender_name else ""
        this = identity_of(message)
        others = [str(each) for each in await self._links.accounts(this) if each != this]
        rights = ", and you are an admin" if call.admin else ""
        linked = f" You are linked with {' and '.join(others)}." if others else ""
        await call.say(f"{name}Your id is {this}{rights}. This chat is {message.adapter}:{message.chat}.{linked}")


def _described(facts: ReplyFacts) -> str:
    usage, timings = facts.usage, facts.timings
    return (
        f"read {counted(usage.prompt_tokens, 'token')} ({usage.cached_tokens:,} known already, the others at "
        f"{facts.prefill_tokens_per_s:.1f} a second), wrote {usage.completion_tokens:,} "
        f"({facts.decode_tokens_per_s:.1f} a second), first word after {timings.ttft_ms / 1000:.1f} s"
    )
