"""The files of the page: what is vendored is what it says, and nothing loads from elsewhere."""

import re
from hashlib import sha256
from pathlib import Path

from adapters.web.page.documents import STATIC
from tests.support.icon_sheet import icon_sheet

VENDOR = STATIC / "vendor"
OWN = [path for path in STATIC.rglob("*") if path.is_file() and VENDOR not in path.parents]


def test_vendored_files_are_unchanged_and_licensed() -> None:
    """Every file has the checksum of the note, the note names every file, and each library brings its licence."""
    note = (VENDOR / "VENDORED.md").read_text()
    noted = dict(re.findall(r"^\| (\S+/\S+) \| `([0-9a-f]{64})` \|$", note, re.MULTILINE))
    found = {
        path.relative_to(VENDOR).as_posix(): sha256(path.read_bytes()).hexdigest()
        for path in VENDOR.rglob("*")
        if path.is_file() and path.name != "VENDORED.md"
    }
    assert found == noted
    folders = re.findall(r"^\| (\w+) \| ([\d.]+) \|", note, re.MULTILINE)
    assert {name for name, _ in folders} == {path.name for path in VENDOR.iterdir() if path.is_dir()}
    for name, version in folders:
        assert (VENDOR / name / "LICENSE").stat().st_size > 0
        assert any(version in path.read_text() for path in (VENDOR / name).iterdir() if path.name != "LICENSE")


def test_nothing_is_loaded_from_another_host() -> None:
    """No page, style or script of ours names another server, and nothing in a page is inline."""
    for path in OWN:
        text = path.read_text()
        urls = set(re.findall(r"(?:https?:)?//[\w.-]+\.\w+", text)) - {"http://www.w3.org"}
        assert urls == set(), path
        if path.suffix == ".html":
            assert not re.search(r"<style|\sstyle=|\son\w+=|<script>", text), path


def test_every_file_that_is_asked_for_is_there() -> None:
    """Imports, style sheets and icons lead to files."""
    missing = []
    for path in OWN:
        text = path.read_text()
        wanted = [STATIC / name for name in re.findall(r'"/static/([^"]+)"', text)]
        wanted += [path.parent / name for name in re.findall(r'(?:from "|url\(")(\.[^"]+)"', text)]
        missing += [str(each) for each in wanted if not each.is_file()]
    assert missing == []


def test_every_icon_that_is_used_is_drawn() -> None:
    """A class of an icon has its picture."""
    drawn = set(re.findall(r"\.icon-([\w-]+) \{", (STATIC / "css/icons.css").read_text()))
    used = set()
    for path in OWN:
        used |= set(re.findall(r"icon icon-([\w-]+)[ \"`]", path.read_text()))
        used |= set(re.findall(r"\bicon(?:Button)?\(\"([\w-]+)\"", path.read_text()))
    assert used <= drawn
    assert (STATIC / "css/icons.css").read_text() == icon_sheet(VENDOR / "lucide")
    assert drawn == {path.stem for path in Path(VENDOR / "lucide").glob("*.svg")}
