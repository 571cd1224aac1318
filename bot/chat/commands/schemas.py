"""The command for what can be read out of texts."""

import json
import re
from collections.abc import Sequence

from bot.chat.commands.command import Command, CommandCall, ImmediateCommand
from bot.chat.schema_book import SchemaBook
from bot.extraction.outline import outline
from bot.messages import CommandSpec
from bot.schemas.schema import Schema

_NAME = re.compile(r"[^\W\d]\w{0,63}")
_MOST = 50
_HELP = (
    "/schemas lists them, /schemas show NAME shows one, /schemas save NAME name, age int, city? saves one of your own, "
    "/schemas delete NAME deletes it."
)


class SchemaCommands:
    """`/schemas`."""

    def __init__(self, schemas: SchemaBook) -> None:
        self._schemas = schemas

    def commands(self) -> Sequence[Command]:
        """In the order of a menu."""
        return (
            ImmediateCommand(
                spec=CommandSpec(
                    name="schemas",
                    summary="Show what /extract can look for; save schemas of your own",
                    argument="[show|save|delete] [name] [fields]",
                    choices=("show", "save", "delete"),
                ),
                run=self._schemas_command,
            ),
        )

    async def _schemas_command(self, call: CommandCall) -> None:
        act, _, rest = call.argument.partition(" ")
        name, _, definition = rest.strip().partition(" ")
        match act.lower():
            case "":
                await call.say(await self._list(call))
            case "show" if name:
                await call.say(await self._show(call, name))
            case "save" if name and definition.strip():
                await call.say(await self._save(call, name, definition.strip()))
            case "delete" if name:
                deleted = await self._schemas.delete(call.message.adapter, call.message.user, name)
                await call.say(f"Deleted: {name}" if deleted else f"You have saved no schema called {name}.")
            case _:
                await call.say(_HELP)

    async def _list(self, call: CommandCall) -> str:
        own = await self._schemas.own(call.message.adapter, call.message.user)
        lines = ["I can look for:", "", *map(_line, self._schemas.configured)]
        if own:
            lines += ["", "Your own:", "", *map(_line, own)]
        return "\n".join([*lines, "", f"The first is meant when you name none. {_HELP}"])

    async def _show(self, call: CommandCall, name: str) -> str:
        schema = (await self._schemas.of(call.message.adapter, call.message.user)).get(name.lower())
        if schema is None:
            return f"There is no schema called {name}. /schemas lists them."
        parts = [f"**{schema.name}**{f': {schema.description}' if schema.description else ''}"]
        parts += [schema.instructions] if schema.instructions else []
        parts += [f"```\n{outline(schema.record, many=schema.many)}\n```"]
        parts += [f"```json\n{json.dumps(schema.record, ensure_ascii=False, indent=2)}\n```"]
        return "\n\n".join(parts)

    async def _save(self, call: CommandCall, name: str, definition: str) -> str:
        adapter, user = call.message.adapter, call.message.user
        if _NAME.fullmatch(name) is None:
            return "A schema's name is a word of letters, digits and _, and begins with a letter."
        own = await self._schemas.own(adapter, user)
        if len(own) >= _MOST and name.lower() not in {schema.name.lower() for schema in own}:
            return f"You have {_MOST} schemas already. Please delete one first."
        schema = await self._schemas.save(adapter, user, name, definition)
        return f"Saved. /extract {name} and a text looks for: {', '.join(schema.fields)}"


def _line(schema: Schema) -> str:
    notes = [schema.description] if schema.description else []
    notes += ["any number of them"] if schema.many else []
    about = f" ({', '.join(notes)})" if notes else ""
    return f"- {schema.name}{about}: {', '.join(schema.fields)}"
