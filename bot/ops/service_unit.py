"""The systemd unit of this installation, made of the files in `systemd/`."""

import grp
import re
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import bot

NOTIFY_RELOAD_SINCE = 253
"""The first systemd with `Type=notify-reload`: its NEWS."""
_PROGRAM = "/opt/hearthbot/.venv/bin/hearthbot"
"""What the files in `systemd/` have in the place of this installation's program."""
_SYSTEM_FOLDER = Path("/etc/systemd/system")


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceUnit:
    """What is written where."""

    user: bool
    """For the user who runs this, without root; otherwise for the machine."""
    program: Path
    """The `hearthbot` that is started."""
    config: Path
    """The configuration it is started with."""
    systemd_version: int
    gpu: bool = False

    @property
    def folder(self) -> Path:
        """Where units of this kind lie."""
        return Path.home() / ".config/systemd/user" if self.user else _SYSTEM_FOLDER

    @property
    def path(self) -> Path:
        """The unit file."""
        return self.folder / "hearthbot.service"

    @property
    def files(self) -> dict[Path, str]:
        """Every file that belongs to it, with its content."""
        files = {self.path: self._unit()}
        if self.gpu and not self.user:  # a user's unit hides no devices
            files[self.folder / "hearthbot.service.d/gpu.conf"] = _with_groups_of_here(_template("hearthbot-gpu.conf"))
        return files

    def _unit(self) -> str:
        text = _template("hearthbot-user.service" if self.user else "hearthbot.service")
        command = f"ExecStart={_quoted(self.program)} run --config {_quoted(self.config)}"
        text = re.sub(r"^ExecStart=.*$", lambda _: command, text, flags=re.MULTILINE)
        if self.systemd_version >= NOTIFY_RELOAD_SINCE:
            # It sends SIGHUP itself, and waits for READY=1.
            text = re.sub(r"^Type=notify$", "Type=notify-reload", text, flags=re.MULTILINE)
            text = re.sub(r"^ExecReload=.*\n", "", text, flags=re.MULTILINE)
        return text


def _template(name: str) -> str:
    packaged = resources.files(bot) / "systemd" / name
    place = packaged if packaged.is_file() else Path(bot.__file__).parents[1] / "systemd" / name
    return place.read_text(encoding="utf-8")


def _with_groups_of_here(text: str) -> str:
    """Systemd does not start a service with a group that does not exist, and not every machine has `render`."""
    known = {group.gr_name for group in grp.getgrall()}

    def existing(line: re.Match[str]) -> str:
        return " ".join(["SupplementaryGroups=", *(name for name in line[1].split() if name in known)])

    return re.sub(r"^SupplementaryGroups=(.*)$", existing, text, flags=re.MULTILINE)


def _quoted(path: Path) -> str:
    """A path as one word of a unit's command line: systemd.service(5), COMMAND LINES."""
    escaped = str(path).replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{escaped}"' if re.search(r"[\s\"'\\;]", escaped) else escaped
