"""`hearthbot doctor`: what the doctor finds, for people and for programs."""

import asyncio
import json
from functools import partial
from pathlib import Path

import typer

from bot.check import Check
from bot.cli.options import load_configuration
from bot.ops.doctor import Doctor
from bot.paths import Paths

SIGNS = {"ok": ("ok  ", typer.colors.GREEN), "warn": ("warn", typer.colors.YELLOW), "fail": ("FAIL", typer.colors.RED)}
NAME_WIDTH = 16
"""Of the longest name that there is: `telegram webhook`."""
FIX_INDENT = " " * (len("warn ") + NAME_WIDTH + 2)


def examine(config: Path | None, *, as_json: bool) -> int:
    """Print each finding as it is made. Returns the exit code: that of the first failure, else 0."""
    doctor = Doctor(
        load=partial(load_configuration, config), paths=Paths.of_user(), notify=partial(typer.echo, err=True)
    )
    return asyncio.run(_print(doctor, as_json=as_json))


async def _print(doctor: Doctor, *, as_json: bool) -> int:
    exit_code = 0
    async for check in doctor.examine():
        exit_code = exit_code or check.exit_code
        typer.echo(json.dumps(check.as_object(), ensure_ascii=False) if as_json else as_text(check))
    return exit_code


def as_text(check: Check) -> str:
    """A finding for people, and what to do about it in a line of its own."""
    sign, colour = SIGNS[check.status]
    text = f"{typer.style(sign, fg=colour)} {check.name:<{NAME_WIDTH}}  {check.found}"
    return f"{text}\n{FIX_INDENT}{check.fix}" if check.fix else text
