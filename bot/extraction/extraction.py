"""What was read out of a text."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bot.extraction.grounding import Grounding
from bot.messages import Usage
from bot.schemas.schema import Schema


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What it took, over all parts and tries."""

    parts: int = 0
    requests: int = 0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0

    @property
    def usage(self) -> Usage:
        """The tokens alone."""
        return Usage(
            prompt_tokens=self.prompt_tokens,
            cached_tokens=self.cached_tokens,
            completion_tokens=self.completion_tokens,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Extraction:
    """A value that is valid by its schema, and where in the text it comes from."""

    schema: Schema
    text: str
    """As it was read: without control characters."""
    value: Any
    """An object, or a list of objects where the schema says many."""
    groundings: tuple[Grounding, ...]
    model: str
    cost: Cost = Cost()

    @property
    def missing(self) -> tuple[Grounding, ...]:
        """Values that are not in the text: the model may have invented them."""
        return tuple(each for each in self.groundings if each.status == "missing")

    @property
    def records(self) -> Sequence[Any]:
        """The records, of which there is one unless the schema says many."""
        return self.value if self.schema.many else [self.value]

    def grounding_objects(self) -> list[dict[str, Any]]:
        """The groundings for JSON."""
        return [
            {
                "path": each.name,
                "value": each.value,
                "status": each.status,
                "span": [each.span.start, each.span.end] if each.span else None,
            }
            for each in self.groundings
        ]
