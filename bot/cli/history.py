"""`hearthbot history`: stored conversations, for people and for programs."""

import asyncio
import json
from pathlib import Path
from typing import Any

import typer

from bot.cli.options import load_configuration
from bot.paths import Paths
from bot.storage.conversation_repository import ConversationRepository
from bot.storage.database import Database
from bot.storage.records import Conversation, Turn
from bot.storage.turn_repository import TurnRepository


def show(config: Path | None, *, user: str | None, conversation: int | None, as_json: bool) -> None:
    """Print them. Raises `ConfigError` and `StorageError`."""
    settings = load_configuration(config).settings.storage
    path = Paths.of_user().database_at(settings.path)
    if not path.exists():
        typer.echo(f"nothing is stored yet: there is no {path}", err=True)
        return
    found = asyncio.run(_read(path, settings.busy_timeout_s, user, conversation))
    if not found:
        typer.echo("no conversation fits", err=True)
    for each, turns in found:
        typer.echo(json.dumps(_as_object(each, turns), ensure_ascii=False) if as_json else _as_text(each, turns))


async def _read(
    path: Path, busy_timeout_s: float, user: str | None, conversation: int | None
) -> list[tuple[Conversation, list[Turn]]]:
    database = await Database.open(path, busy_timeout_s=busy_timeout_s)
    try:
        conversations, turns = ConversationRepository(database), TurnRepository(database)
        return [
            (each, [turn for turn in await turns.all(each.id) if turn.status != "discarded"])
            for each in await conversations.all()
            if user in {None, each.key.user} and conversation in {None, each.id}
        ]
    finally:
        await database.aclose()


def _as_text(conversation: Conversation, turns: list[Turn]) -> str:
    key = conversation.key
    place = " ".join(part for part in (key.adapter, key.chat if key.chat != key.user else "", key.thread) if part)
    lines = [f"# {conversation.id}: {key.user} on {place}, persona {conversation.persona}, {_time(conversation)}", ""]
    for turn in turns:
        lines += [f"{turn.sender_name or key.user}: {turn.text}", ""]
        lines += [f"{turn.persona}: {_answer(turn)}", ""]
    return "\n".join(lines)


def _answer(turn: Turn) -> str:
    if turn.reply is not None:
        return turn.reply
    return f"({turn.status}{f': {turn.error_code}' if turn.error_code else ''})"


def _time(conversation: Conversation) -> str:
    return conversation.created_at.astimezone().strftime("%Y-%m-%d %H:%M")


def _as_object(conversation: Conversation, turns: list[Turn]) -> dict[str, Any]:
    key = conversation.key
    return {
        "id": conversation.id,
        "adapter": key.adapter,
        "chat": key.chat,
        "thread": key.thread,
        "user": key.user,
        "persona": conversation.persona,
        "created_at": conversation.created_at.isoformat(),
        "turns": [
            {
                "text": turn.text,
                "reply": turn.reply,
                "status": turn.status,
                "error": turn.error_code,
                "persona": turn.persona,
                "created_at": turn.created_at.isoformat(),
            }
            for turn in turns
        ],
    }
