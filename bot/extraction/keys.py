"""Which keys an object may have besides those that its schema names."""

import re
from collections.abc import Collection

LONGEST = 64
"""Characters of such a key."""
_ANY = "(?s:.)"


def other_keys(names: Collection[str]) -> str:
    """A regular expression for every key of up to `LONGEST` characters that is not a name, longer beside longer names.

    Grammars take no look-ahead, so it says at each character of a name what else may stand there.
    """
    longest = max([LONGEST, *(len(name) + 1 for name in names)])
    return f"^{_others(sorted(set(names)), longest)}$"


def _others(names: list[str], longest: int) -> str:
    if not names:
        return f"{_ANY}{{0,{longest}}}"
    following: dict[str, list[str]] = {}
    for name in names:
        if name:
            following.setdefault(name[0], []).append(name[1:])
    ways = [] if "" in names else [""]
    known = "".join(map(re.escape, following))
    ways.append(f"[^{known}]{_ANY}{{0,{longest - 1}}}" if known else f"{_ANY}{{1,{longest}}}")
    ways += [f"{re.escape(first)}{_others(rest, longest - 1)}" for first, rest in following.items()]
    return f"(?:{'|'.join(ways)})"
