"""How much memory the daemon takes."""

import resource
from pathlib import Path

_STATM = Path("/proc/self/statm")
_MB = 1_000_000


def resident_mb() -> float | None:
    """Megabytes in RAM now, of the whole process: proc(5). None on systems that have no such file."""
    try:
        pages = int(_STATM.read_text().split()[1])
    except (OSError, ValueError, IndexError):
        return None
    return pages * resource.getpagesize() / _MB
