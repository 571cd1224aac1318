"""The image has what the service and `make run` have."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
CONTAINERFILE = (ROOT / "systemd" / "Containerfile").read_text(encoding="utf-8")


def test_its_folders_are_those_of_the_service() -> None:
    """The same environment, so that the documentation is right for both."""
    unit = (ROOT / "systemd" / "hearthbot.service").read_text(encoding="utf-8")
    wanted = set(re.findall(r"\bXDG_\w+=\S+", unit))
    assert set(re.findall(r"\bXDG_\w+=\S+", CONTAINERFILE)) == wanted
    volumes = set(CONTAINERFILE.partition("\nVOLUME ")[2].partition("\n")[0].split())
    assert volumes == {"/var/lib/hearthbot", "/var/cache/hearthbot"}


def test_it_installs_what_make_run_installs() -> None:
    """The model and every platform."""
    extras = re.search(r"^EXTRAS := (\S+)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert extras is not None
    assert f"'.[{extras[1]}]'" in CONTAINERFILE


def test_what_it_copies_is_there() -> None:
    """Every file and folder of the project that it names."""
    lines = re.findall(r"^COPY (?!--from)(.+) \S+$", CONTAINERFILE, re.MULTILINE)
    assert lines
    for name in " ".join(lines).split():
        assert (ROOT / name).exists(), name
