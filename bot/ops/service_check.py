"""Whether the service on this machine is the one that this version would install."""

from collections.abc import Sequence
from pathlib import Path

from bot.check import Check

_FOLDERS = (Path("/etc/systemd/system"), Path.home() / ".config/systemd/user")


def service_check(program: Path, folders: Sequence[Path] = _FOLDERS) -> Check:
    """`program` is the `hearthbot` that is being run."""
    program = program.absolute()
    units = [folder / "hearthbot.service" for folder in folders if (folder / "hearthbot.service").is_file()]
    if not units:
        return Check(name="service", status="ok", found="not installed; `hearthbot service install` does")
    found = ", ".join(map(str, units))
    for unit in units:
        try:
            text = unit.read_text(encoding="utf-8")
        except OSError as error:
            return Check(name="service", status="warn", found=f"{unit}: {error.strerror}", fix="run this as its owner")
        if not any(line.startswith("ExecStart=") and str(program) in line for line in text.splitlines()):
            fix = "install it again from here: hearthbot service install"
            return Check(name="service", status="warn", found=f"{unit} starts another hearthbot", fix=fix)
    return Check(name="service", status="ok", found=found)
