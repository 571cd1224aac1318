"""How long to wait before trying again."""

from dataclasses import dataclass
from random import Random


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """Exponential delays with jitter. All times are seconds."""

    first_s: float = 1.0
    factor: float = 2.0
    longest_s: float = 300.0
    stable_s: float = 60.0
    """Whoever ran this long before failing starts again with the first delay."""

    def delay_s(self, failures: int, random: Random) -> float:
        """Return the delay after this many failures in a row: between half of the exponential value and all of it."""
        doublings = min(failures - 1, 64)  # the cap is long reached, and a float does not overflow
        full = min(self.longest_s, self.first_s * self.factor**doublings)
        return random.uniform(full / 2, full)
