import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bot.ops.service_unit import ServiceUnit

# On Debian the package systemd has it; where there is no systemd there is nothing to check a unit with.
needs_systemd = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")


def unit(*, user: bool = False, gpu: bool = False, version: int = 252, program: str | None = None) -> ServiceUnit:
    """A unit that starts a program which exists, so that the check of its path holds."""
    return ServiceUnit(
        user=user,
        program=Path(program or sys.executable),
        config=Path("/etc/hearthbot/config.yaml"),
        systemd_version=version,
        gpu=gpu,
    )


def written(each: ServiceUnit, folder: Path) -> Path:
    """The unit and its drop-ins, in a folder of the test's."""
    for path, text in each.files.items():
        file = folder / path.relative_to(each.folder)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return folder / each.path.name


@needs_systemd
@pytest.mark.parametrize("user", [False, True])
@pytest.mark.parametrize("gpu", [False, True])
def test_systemd_has_nothing_to_say_about_the_unit(tmp_path: Path, *, user: bool, gpu: bool) -> None:
    """`systemd-analyze verify` is silent."""
    file = written(unit(user=user, gpu=gpu), tmp_path)
    manager = "--user" if user else "--system"
    command = ["systemd-analyze", "verify", manager, file]
    environ = {**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)}  # without one there is no user's manager to ask
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, env=environ)
    assert (result.returncode, result.stderr) == (0, "")


@needs_systemd
@pytest.mark.parametrize(("gpu", "most"), [(False, 2.0), (True, 3.0)])
def test_the_service_is_exposed_to_little(tmp_path: Path, *, gpu: bool, most: float) -> None:
    """By systemd's own score, from 0 for locked in to 10 for wide open."""
    file = written(unit(gpu=gpu), tmp_path)
    command = ["systemd-analyze", "security", "--offline=true", f"--threshold={most * 10:.0f}", "--no-pager", file]
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert result.returncode == 0, result.stdout[-300:]


def test_the_unit_starts_this_installation() -> None:
    """With the program and the configuration that it was made for."""
    text = unit(program="/opt/my bot/50%/hearthbot").files[Path("/etc/systemd/system/hearthbot.service")]
    assert 'ExecStart="/opt/my bot/50%%/hearthbot" run --config /etc/hearthbot/config.yaml\n' in text


def test_a_newer_systemd_waits_for_the_end_of_a_reload() -> None:
    """`Type=notify-reload` sends SIGHUP itself."""
    (text,) = unit(version=253).files.values()
    assert "\nType=notify-reload\n" in text
    assert "ExecReload" not in text
    (text,) = unit(version=252).files.values()
    assert "\nType=notify\n" in text
    assert "\nExecReload=/bin/kill -HUP $MAINPID\n" in text


def test_errors_that_a_start_cannot_mend_stop_the_service() -> None:
    """The exit codes of the README: configuration, model, storage."""
    (text,) = unit().files.values()
    assert re.search(r"^RestartPreventExitStatus=2 3 4$", text, re.MULTILINE)


def test_groups_that_this_machine_lacks_are_left_out() -> None:
    """Systemd refuses to start a service with them."""
    drop_in = unit(gpu=True).files[Path("/etc/systemd/system/hearthbot.service.d/gpu.conf")]
    (line,) = re.findall(r"^SupplementaryGroups=(.*)$", drop_in, re.MULTILINE)
    groups = [each.split(":")[0] for each in Path("/etc/group").read_text().splitlines()]
    assert json.dumps(line.split()) == json.dumps([name for name in ("video", "render") if name in groups])
