"""A process with mounts of its own, which nobody else sees and which end with it."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from functools import cache

import pytest

_UNSHARE = ("unshare", "--mount", *(() if os.geteuid() == 0 else ("--map-root-user",)))


def with_mounts(mounts: Sequence[str], program: Sequence[str]) -> tuple[str, ...]:
    """The command that makes mounts and then becomes the program. Skips the test where that is not allowed."""
    if (reason := _refusal()) is not None:
        pytest.skip(reason)
    return (*_UNSHARE, "sh", "-ec", f'{" && ".join(mounts)}; exec "$@"', "sh", *program)


@cache
def _refusal() -> str | None:
    if shutil.which("unshare") is None:
        return "there is no unshare(1), from util-linux, to mount something for one process"
    tried = subprocess.run(
        [*_UNSHARE, "mount", "-t", "tmpfs", "none", "/mnt"], check=False, capture_output=True, text=True
    )
    return f"this system lets nobody mount for one process: {tried.stderr.strip()}" if tried.returncode else None
