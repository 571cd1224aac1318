import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest


def audit(*arguments: str) -> list[dict[str, Any]]:
    """Return what `pip-audit` says of each package."""
    command = [sys.executable, "-m", "pip_audit", "--format=json", "--progress-spinner=off", *arguments]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        found: list[dict[str, Any]] = json.loads(ended.stdout)["dependencies"]
    except ValueError:
        pytest.skip(f"pip-audit has no answer: {ended.stderr.strip()[-200:]}")
    return found


def test_no_dependency_has_a_known_weakness(tmp_path: Path) -> None:
    """By the advisories of PyPI; where these cannot be reached, that is said."""
    one = tmp_path / "requirements.txt"
    one.write_text("pip==25.1\n")
    if "skip_reason" in audit("--no-deps", "--disable-pip", "-r", str(one))[0]:
        pytest.skip("PyPI's advisories cannot be reached from here")
    found = audit()
    assert found
    assert {each["name"]: each["vulns"] for each in found if each.get("vulns")} == {}
