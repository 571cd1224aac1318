"""Finds stop strings in a reply while it streams."""

from collections import deque
from collections.abc import Iterable

from bot.errors import InvalidRequestError


class StopStrings:
    """An incremental search for several strings: one step a character, however many strings there are.

    The stop string that is complete first wins, and the longest of those that end together; the text is cut where it
    begins. So the result does not depend on how the reply is divided into pieces. Built as in A. Aho and M. Corasick,
    "Efficient string matching", CACM 18(6), 1975.
    """

    def __init__(self, stops: Iterable[str]) -> None:
        """Raises `InvalidRequestError` for an empty stop string, which would end every reply before it begins."""
        # Node 0 is the root; node n stands for the first _depth[n] characters of some stop string.
        self._next: list[dict[str, int]] = [{}]
        self._depth = [0]
        self._found = [0]  # length of the longest stop string that ends at the node
        self._fallback = [0]  # the node of the longest proper suffix
        for stop in stops:
            self._add(stop)
        self._link()
        self._node = 0
        self._held = ""
        self._stopped = False

    @property
    def stopped(self) -> bool:
        """A stop string was found."""
        return self._stopped

    def feed(self, text: str) -> tuple[str, bool]:
        """Take the next part of the reply; return what may be shown, and whether a stop string was found.

        What may yet be the start of a stop string is held back, and nothing else. After a stop nothing more comes.
        """
        if self._stopped:
            return "", True
        if not self._next[0]:
            return text, False
        seen = self._held + text
        for index in range(len(self._held), len(seen)):
            self._node = self._step(self._node, seen[index])
            if length := self._found[self._node]:
                self._stopped = True
                self._held = ""
                return seen[: index + 1 - length], True
        safe = len(seen) - self._depth[self._node]
        self._held = seen[safe:]
        return seen[:safe], False

    def flush(self) -> str:
        """Return what was held back, at the end of a reply that no stop string ended."""
        held, self._held = self._held, ""
        self._node = 0
        return held

    def _add(self, stop: str) -> None:
        if not stop:
            raise InvalidRequestError("A stop string must not be empty.")
        node = 0
        for character in stop:
            if character not in self._next[node]:
                self._next[node][character] = len(self._next)
                self._next.append({})
                self._depth.append(self._depth[node] + 1)
                self._found.append(0)
                self._fallback.append(0)
            node = self._next[node][character]
        self._found[node] = len(stop)

    def _link(self) -> None:
        """Fill in the fallbacks, shortest prefixes first."""
        queue = deque(self._next[0].values())
        while queue:
            node = queue.popleft()
            for character, child in self._next[node].items():
                self._fallback[child] = self._step(self._fallback[node], character)
                self._found[child] = self._found[child] or self._found[self._fallback[child]]
                queue.append(child)

    def _step(self, node: int, character: str) -> int:
        while node and character not in self._next[node]:
            node = self._fallback[node]
        return self._next[node].get(character, 0)
