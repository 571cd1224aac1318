"""The command for what was read out of texts."""

from collections.abc import Mapping, Sequence
from typing import Any

from bot.chat.commands.command import Command, CommandCall, ImmediateCommand
from bot.chat.counted import counted
from bot.chat.excerpt import excerpt
from bot.extraction.export import as_csv, as_jsonl
from bot.extraction.presentation import plain
from bot.messages import CommandSpec
from bot.storage.record_repository import RecordRepository
from bot.storage.records import Record

_RECENT = 10
_FORMATS = ("csv", "jsonl")


class RecordCommands:
    """`/records`."""

    def __init__(self, records: RecordRepository, *, kept: bool) -> None:
        """`kept`: new ones are added."""
        self._records = records
        self._kept = kept

    def commands(self) -> Sequence[Command]:
        """In the order of a menu."""
        return (
            ImmediateCommand(
                spec=CommandSpec(
                    name="records",
                    summary="Show what /extract has read for you, or send it as a file",
                    argument="[schema] [csv|jsonl]",
                    choices=_FORMATS,
                ),
                run=self._show,
            ),
        )

    async def _show(self, call: CommandCall) -> None:
        words = call.argument.split()
        form = next((word.lower() for word in words if word.lower() in _FORMATS), "")
        names = [word for word in words if word.lower() not in {*_FORMATS, "export"}]
        schema = names[0] if names else None
        found = await self._records.of(adapter=call.message.adapter, user=call.message.user, schema=schema)
        if not found:
            off = "" if self._kept else " The owner of this bot has switched keeping them off."
            await call.say(f"I have kept no records{f' of {schema}' if schema else ''} for you.{off}")
        elif form:
            await self._send(call, found, form, schema or "records")
        else:
            shown = found[-_RECENT:]
            head = f"The last {len(shown)} of {len(found)}:" if len(shown) < len(found) else "All of them:"
            tail = (
                "/records csv sends them as a table, /records jsonl for programs; /forget deletes them with the rest."
            )
            await call.say("\n".join([head, "", *map(_line, shown), "", tail]))

    @staticmethod
    async def _send(call: CommandCall, found: Sequence[Record], form: str, name: str) -> None:
        text = as_csv(rows_of(found)) if form == "csv" else as_jsonl(map(object_of, found))
        # The mark in front tells spreadsheets that it is UTF-8.
        data = text.encode("utf-8-sig" if form == "csv" else "utf-8")
        if await call.delivery.send_file(f"{name}.{form}", data, "What I have read for you"):
            await call.say(f"That is {counted(len(found), 'text')}.")
        else:
            await call.say("I could not send you the file here. Please try again later.")


def rows_of(found: Sequence[Record]) -> list[Mapping[str, Any]]:
    """A row for each thing that was read, with where it comes from."""
    return [
        {"schema": each.schema, "source": each.source, "time": each.created_at.isoformat(), **item}
        for each in found
        for item in (each.value if isinstance(each.value, list) else [each.value])
    ]


def object_of(record: Record) -> dict[str, Any]:
    """All that is known of a record, for programs."""
    return {
        "id": record.id,
        "adapter": record.adapter,
        "user": record.user,
        "schema": record.schema,
        "version": record.version,
        "source": record.source,
        "model": record.model,
        "time": record.created_at.isoformat(),
        "value": record.value,
        "grounding": record.grounding,
    }


def _line(record: Record) -> str:
    return f"- {record.created_at:%Y-%m-%d %H:%M} UTC, {record.schema}: {excerpt(plain(record.value))}"
