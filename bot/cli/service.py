"""`hearthbot service`: the daemon as a systemd service."""

import grp
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from bot.cli.options import ConfigOption, load_configuration
from bot.errors import ConfigError
from bot.ops.service_unit import ServiceUnit
from bot.paths import Paths

app = typer.Typer(no_args_is_help=True, help="Run the daemon under systemd.")

UserOption = Annotated[bool, typer.Option("--user", help="For yourself only, without root.")]
NAME = "hearthbot.service"
ACCOUNT = "hearthbot"
"""The user and group in the system's unit."""
SYSTEM_CONFIG = Path("/etc/hearthbot/config.yaml")
CREDENTIALS = SYSTEM_CONFIG.parent / "credentials"


@app.command()
def install(
    *,
    user: UserOption = False,
    gpu: Annotated[bool, typer.Option("--gpu", help="Let the service use the graphics card.")] = False,
    config: ConfigOption = None,
) -> None:
    """Write the unit, start it, and have it started whenever the machine does.

    The system's service reads /etc/hearthbot/config.yaml and runs as a user of its own that owns nothing else.
    """
    unit = _unit(user=user, gpu=gpu, config=config)
    if not user:
        _check_system(unit)
    load_configuration(unit.config)  # a service that cannot start is no help
    try:
        if not user:
            _make_user()
            CREDENTIALS.mkdir(mode=0o700, parents=True, exist_ok=True)
            # Not for everybody's eyes, since secrets may be written into it, but the service must read it.
            os.chown(unit.config, -1, grp.getgrnam(ACCOUNT).gr_gid)
            unit.config.chmod(0o640)
        for path, text in unit.files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            typer.echo(f"wrote {path}")
    except OSError as error:
        raise ConfigError(f"{error.filename}: cannot be written: {error.strerror}") from error
    _systemctl(user, "daemon-reload")
    _systemctl(user, "enable", "--now", "--no-block", NAME)
    scope = " --user" if user else ""
    typer.echo(f"It starts now, and with the machine. See how it does: hearthbot service status{scope}")
    if user:
        typer.echo("So that it runs while you are not logged in, too: loginctl enable-linger")


@app.command()
def uninstall(*, user: UserOption = False) -> None:
    """Stop the service and remove its unit. Conversations, configuration and secrets stay."""
    folder = ServiceUnit(user=user, program=Path(), config=Path(), systemd_version=0).folder
    unit, drop_ins = folder / NAME, folder / f"{NAME}.d"
    if not unit.exists():
        typer.echo(f"there is no {unit}")
        return
    _systemctl(user, "disable", "--now", NAME)
    try:
        unit.unlink()
        shutil.rmtree(drop_ins, ignore_errors=True)
    except OSError as error:
        raise ConfigError(f"{unit}: cannot be removed: {error.strerror}; try sudo") from error
    _systemctl(user, "daemon-reload")
    typer.echo(f"removed {unit}; conversations and configuration are kept")


@app.command()
def status(*, user: UserOption = False) -> None:
    """Show whether it runs, and what it does."""
    raise typer.Exit(_run(_command(user, "systemctl", "--no-pager", "status", NAME)))


@app.command()
def logs(
    *,
    user: UserOption = False,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as it is written.")] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", min=1, help="How many of the last lines.")] = 50,
) -> None:
    """Show the service's log."""
    unit = f"--user-unit={NAME}" if user else f"--unit={NAME}"
    command = [_program("journalctl"), unit, f"--lines={lines}", "--no-pager", *(["--follow"] if follow else [])]
    raise typer.Exit(_run(command))


def _unit(*, user: bool, gpu: bool, config: Path | None) -> ServiceUnit:
    program = Path(sys.argv[0]).absolute()
    if program.name != "hearthbot":  # `python -m bot.cli`
        program = Path(sys.executable).with_name("hearthbot")
    found = config or (Paths.of_user().config_file if user else SYSTEM_CONFIG)
    if not found.exists():
        raise ConfigError(f"{found}: no such file; write one first: hearthbot config init {found}")
    return ServiceUnit(user=user, program=program, config=found.absolute(), systemd_version=_version(), gpu=gpu)


def _check_system(unit: ServiceUnit) -> None:
    if os.geteuid() != 0:
        raise ConfigError("the system's services are root's: use sudo, or install it for yourself with --user")
    for path in (unit.program, unit.config):
        # The service sees no home folders (ProtectHome), and its user could not read most of them anyway.
        if path.is_relative_to("/home") or path.is_relative_to("/root"):
            raise ConfigError(
                f"{path} is in a home folder, where the system's service cannot see it: "
                "move the project to /opt/hearthbot, or install it for yourself with --user"
            )


def _make_user() -> None:
    line = f'u {ACCOUNT} - "hearthbot daemon" /var/lib/hearthbot'
    if _run([_program("systemd-sysusers"), "--inline", line]) != 0:
        raise ConfigError(f"the user {ACCOUNT} cannot be made; the message is above")


def _version() -> int:
    """Of systemd, which the first line of its programs' --version says as `systemd 252 (…)`."""
    try:
        command = [_program("systemctl"), "--version"]
        shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout  # noqa: S603 - no outer input
        return int(shown.split()[1])
    except (subprocess.CalledProcessError, IndexError, ValueError) as error:
        raise ConfigError("systemctl does not say its version; is this a machine with systemd?") from error


def _systemctl(user: bool, *arguments: str) -> None:
    command = _command(user, "systemctl", *arguments)
    if _run(command) != 0:
        raise ConfigError(f"{' '.join(command)} failed; its message is above")


def _command(user: bool, program: str, *arguments: str) -> list[str]:
    return [_program(program), *(["--user"] if user else []), *arguments]


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise ConfigError(f"there is no {name} here: this machine does not run systemd")
    return found


def _run(command: Sequence[str]) -> int:
    return subprocess.run(command, check=False).returncode  # noqa: S603 - a program of systemd, no shell
