"""What the admins are told without having asked: once when it begins, and once when it is over."""

from collections.abc import Sequence

from bot.adapter_state import AdapterState

LOST_FOR_S = 60.0
"""Seconds before a lost adapter is worth a word: most come back by themselves."""
LITTLE_SPACE = 500 << 20
"""Bytes left on the database's disk below which it is nearly full."""
ENOUGH_SPACE = LITTLE_SPACE * 2
"""Bytes from which it no longer is; in between nothing is said, so that a disk at the limit does not flood anybody."""


class Alarms:
    """Remembers what was told. Pure: it is shown the state of things, and says what is new."""

    def __init__(self) -> None:
        self._lost: set[str] = set()
        self._away_since: dict[str, float] = {}
        """Since when each adapter that is tried again was seen so, through all of its attempts."""
        self._space_is_short = False
        self._damage_told = False

    def news(self, adapters: Sequence[AdapterState], *, free: int, damaged: bool, elapsed_s: float) -> list[str]:
        """Sentences for the admins. `free` is in bytes; `elapsed_s` is in seconds since any fixed moment.

        `damaged` is whether damage was met in the database.
        """
        return [*self._of_adapters(adapters, elapsed_s), *self._of_space(free), *self._of_damage(damaged=damaged)]

    def _of_adapters(self, adapters: Sequence[AdapterState], elapsed_s: float) -> list[str]:
        said = []
        for adapter in adapters:
            away_s = 0.0
            if adapter.phase == "retrying":
                away_s = elapsed_s - self._away_since.setdefault(adapter.name, elapsed_s)
            else:
                self._away_since.pop(adapter.name, None)
            if adapter.phase == "up" and adapter.name in self._lost:
                self._lost.discard(adapter.name)
                said.append(f"{adapter.name} is back.")
            # One that failed for good does not come back by itself, so nothing is waited for.
            gone = adapter.phase == "stopped" or away_s >= LOST_FOR_S
            if gone and adapter.name not in self._lost:
                self._lost.add(adapter.name)
                kind = "has stopped" if adapter.phase == "stopped" else "is not connected, and is tried again"
                said.append(f"{adapter.name} {kind}: {adapter.reason}" if adapter.reason else f"{adapter.name} {kind}.")
        return said

    def _of_space(self, free: int) -> list[str]:
        if free < LITTLE_SPACE and not self._space_is_short:
            self._space_is_short = True
            return [f"The disk is nearly full: {free >> 20} MiB are left. When none is left, I cannot answer any more."]
        if free >= ENOUGH_SPACE:
            self._space_is_short = False
        return []

    def _of_damage(self, *, damaged: bool) -> list[str]:
        if not damaged or self._damage_told:
            return []
        self._damage_told = True
        what = "Something in my database cannot be read: the file is damaged. Restart me, and I keep it aside"
        return [f"{what} and go on with the rest; or put a backup back: hearthbot restore FILE"]
