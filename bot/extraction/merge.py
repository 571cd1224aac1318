"""Makes one answer of those to the parts of a long text."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from bot.extraction.normal_text import NormalText

IsGrounded = Callable[[Any], bool]


def merge(values: Sequence[Any], is_grounded: IsGrounded) -> Any:
    """Records are put together field by field, lists one after another without repetitions.

    Of single values that differ those that stand in the text come first, then the one that most parts gave, then the
    earliest; null only where no part has more.
    """
    known = [value for value in values if value is not None and value not in ("", [], {})]
    if not known:
        return values[0]
    if all(isinstance(value, dict) for value in known):
        keys = dict.fromkeys(key for value in known for key in value)
        return {key: merge([value[key] for value in known if key in value], is_grounded) for key in keys}
    if all(isinstance(value, list) for value in known):
        return distinct(item for value in known for item in value)
    grounded = [value for value in known if is_grounded(value)] or known
    votes = Counter(same(value) for value in grounded)
    return max(grounded, key=lambda value: votes[same(value)])


def distinct(items: Iterable[Any]) -> list[Any]:
    """Each record once, in order. One that says nothing more than another, which has all its values, is left out."""
    kept: list[Any] = []
    for item in items:
        if any(_covers(other, item) for other in kept):
            continue
        kept = [other for other in kept if not _covers(item, other)]
        kept.append(item)
    return kept


def same(value: Any) -> str:
    """Equal for values that differ in spacing, case and accents only."""
    if isinstance(value, dict):
        return json.dumps({key: same(item) for key, item in sorted(value.items())})
    if isinstance(value, list):
        return json.dumps([same(item) for item in value])
    return NormalText(value).text.strip() if isinstance(value, str) else json.dumps(value)


def _covers(one: Any, other: Any) -> bool:
    if isinstance(one, dict) and isinstance(other, dict):
        known = {key: value for key, value in other.items() if value not in (None, "", [], {})}
        return bool(known) and all(key in one and same(one[key]) == same(value) for key, value in known.items())
    return same(one) == same(other)
