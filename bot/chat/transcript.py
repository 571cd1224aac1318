"""A conversation as a document."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from bot.storage.records import Conversation, Summary, Turn


class Transcript:
    """One conversation, for the person it belongs to. Times are in UTC."""

    def __init__(self, conversation: Conversation, turns: Sequence[Turn], summaries: Sequence[Summary]) -> None:
        self._conversation = conversation
        self._turns = turns
        self._summaries = summaries

    def markdown(self) -> str:
        """For reading."""
        key = self._conversation.key
        parts = [
            f"# Conversation {self._conversation.id}",
            f"{key.adapter}, started {self._conversation.created_at:%Y-%m-%d %H:%M} UTC",
        ]
        for summary in self._summaries:
            parts += [f"## My summary of the first {self._covered(summary)} messages", summary.text]
        for turn in self._turns:
            parts += [f"## {turn.sender_name or 'You'}, {turn.created_at:%Y-%m-%d %H:%M}", turn.text]
            parts += [f"## {turn.persona}", turn.reply if turn.reply is not None else f"*({turn.status})*"]
        return "\n\n".join(parts) + "\n"

    def json(self) -> str:
        """For programs: one object with `turns`, oldest first."""
        conversation = self._conversation
        document = {
            "conversation": conversation.id,
            **asdict(conversation.key),
            "persona": conversation.persona,
            "created_at": conversation.created_at.isoformat(),
            "summaries": [
                {
                    "text": summary.text,
                    "covers_turns": self._covered(summary),
                    "in_use": summary.shown,
                    "created_at": summary.created_at.isoformat(),
                }
                for summary in self._summaries
            ],
            "turns": [_turn(turn) for turn in self._turns],
        }
        return json.dumps(document, ensure_ascii=False, indent=2) + "\n"

    def _covered(self, summary: Summary) -> int:
        return sum(turn.id <= summary.through_turn for turn in self._turns)


def _turn(turn: Turn) -> dict[str, Any]:
    facts = turn.facts
    return {
        "message_id": turn.message_id,
        "sender_name": turn.sender_name,
        "text": turn.text,
        "created_at": turn.created_at.isoformat(),
        "status": turn.status,
        "persona": turn.persona,
        "reply": turn.reply,
        "reasoning": turn.reasoning,
        "finished_at": turn.finished_at.isoformat() if turn.finished_at else None,
        "error_code": turn.error_code,
        "finish_reason": facts.finish_reason if facts else None,
        "usage": asdict(facts.usage) if facts else None,
        "timings": asdict(facts.timings) if facts else None,
    }
