"""Runs what may crash natively in a process of its own."""

import json
import signal
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildOutcome:
    """How a child ended."""

    output: str
    """Its standard output, also of one that died."""
    failure: str
    """Why it failed, for the log; empty for exit code 0."""
    signal: int | None
    """What killed it, if a signal did."""


def run_child(command: Sequence[str], request: dict[str, Any], *, timeout_s: float) -> ChildOutcome:
    """Run `command` with `request` as JSON on its standard input; kill it after `timeout_s`."""
    try:
        done = subprocess.run(  # noqa: S603 - our own interpreter and module
            command, input=json.dumps(request).encode(), capture_output=True, timeout=timeout_s, check=False
        )
    except subprocess.TimeoutExpired as expired:
        return ChildOutcome(output=_text(expired.stdout), failure=f"no answer within {timeout_s:.0f} s", signal=None)
    output = _text(done.stdout)
    if done.returncode == 0:
        return ChildOutcome(output=output, failure="", signal=None)
    last_lines = " / ".join(_text(done.stderr).strip().splitlines()[-3:])
    return ChildOutcome(
        output=output,
        failure=f"{_describe(done.returncode)}{': ' if last_lines else ''}{last_lines}",
        signal=-done.returncode if done.returncode < 0 else None,
    )


def _text(data: bytes | None) -> str:
    return (data or b"").decode(errors="replace")


def _describe(returncode: int) -> str:
    if returncode > 0:
        return f"exit code {returncode}"
    try:
        return f"killed by {signal.Signals(-returncode).name}"
    except ValueError:
        return f"killed by signal {-returncode}"
