"""`hearthbot run`, but every step of the model hangs while the file lies there that is the argument."""

import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from bot.cli.main import main
from bot.engine.runner import BatchPart, Runner

hang = Path(sys.argv.pop())
decode = Runner.decode


def hanging(self: Runner, parts: Sequence[BatchPart]) -> dict[int, int]:
    """Wait for ever, or decode."""
    if hang.exists():
        threading.Event().wait()
    return decode(self, parts)


Runner.decode = hanging  # type: ignore[method-assign]
sys.argv.append("run")
main()
