"""The command that chooses who the bot is."""

from collections.abc import Sequence

from bot.chat.commands.command import Command, CommandCall, LineCommand
from bot.chat.conversation_finder import ConversationFinder
from bot.chat.personas import Persona, Personas
from bot.chat.ticket import Ticket
from bot.messages import CommandSpec
from bot.storage.conversation_repository import ConversationRepository


class PersonaCommands:
    """`/persona`."""

    def __init__(
        self, *, finder: ConversationFinder, conversations: ConversationRepository, personas: Personas
    ) -> None:
        self._conversations = conversations
        self._finder = finder
        self._personas = personas

    def commands(self) -> Sequence[Command]:
        """In the order of a menu."""
        return (
            LineCommand(
                spec=CommandSpec(
                    name="persona",
                    aliases=("mode", "character"),
                    summary="Show who I can be, or choose who I am in this conversation",
                    argument="[name]",
                    choices=tuple(persona.key for persona in self._personas),
                ),
                run=self._persona,
            ),
        )

    async def _persona(self, call: CommandCall, _ticket: Ticket) -> None:
        conversation, current = await self._finder.find(call.message.key)
        if not call.argument:
            await call.say(self._list(current))
            return
        chosen = self._personas.find(call.argument)
        if chosen is None:
            near = self._personas.nearest(call.argument)
            hint = f" Did you mean {near.key}?" if near else ""
            await call.say(f"I know no persona of that name.{hint}\n\n{self._list(current)}")
            return
        await self._conversations.set_persona(conversation.id, chosen.key)
        await call.say(chosen.welcome_message or f"I am {chosen.name} in this conversation from now on.")

    def _list(self, current: Persona) -> str:
        lines = [
            f"- {'✓ ' if persona is current else ''}{_titled(persona)}"
            + (f": {persona.description}" if persona.description else "")
            for persona in self._personas
        ]
        return "\n".join(["I can be:", *lines, "", "Choose one with /persona and its name."])


def _titled(persona: Persona) -> str:
    return persona.key if persona.name == persona.key else f"{persona.key} ({persona.name})"
