"""What the browser is told of a message."""

from dataclasses import dataclass, replace
from typing import Any

from bot.messages import OutgoingMessage, ReplyFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferedFile:
    """A file to take along."""

    name: str
    url: str
    size: int
    """Bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownMessage:
    """A message as it stands on the page."""

    id: str
    content: OutgoingMessage
    file: OfferedFile | None = None

    def json(self) -> dict[str, Any]:
        """All of it."""
        file = self.file
        return {
            "id": self.id,
            "text": self.content.text,
            "notice": self.content.notice,
            "error": self.content.error,
            "facts": facts_json(self.content.facts),
            "file": None if file is None else {"name": file.name, "url": file.url, "size": file.size},
        }

    def change(self, content: OutgoingMessage) -> dict[str, Any]:
        """What has to be told when `content` takes the place of this one's: the new end alone, where that is all."""
        if replace(content, text="", final=True) != replace(self.content, text="", final=True):
            return {"type": "message", "message": replace(self, content=content).json()}
        kept = content.text[: _shared(self.content.text, content.text)]
        # JavaScript counts UTF-16 units.
        keep = len(kept.encode("utf-16-le", "surrogatepass")) // 2
        return {"type": "grown", "id": self.id, "keep": keep, "text": content.text[len(kept) :]}


def _shared(before: str, after: str) -> int:
    """How many characters both begin with."""
    if after.startswith(before):
        return len(before)
    pairs = enumerate(zip(before, after, strict=False))
    return next((at for at, (one, other) in pairs if one != other), min(len(before), len(after)))


def facts_json(facts: ReplyFacts | None) -> dict[str, Any] | None:
    """The figures of a reply."""
    if facts is None:
        return None
    return {
        "finish_reason": facts.finish_reason,
        "prompt_tokens": facts.usage.prompt_tokens,
        "cached_tokens": facts.usage.cached_tokens,
        "completion_tokens": facts.usage.completion_tokens,
        "ttft_ms": facts.timings.ttft_ms,
        "tokens_per_s": facts.decode_tokens_per_s,
    }
