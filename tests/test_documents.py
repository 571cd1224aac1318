"""What the documents say is so."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
DOCUMENTS = ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md")


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_lead_somewhere(document: str) -> None:
    """Every link to a file of the project names one that exists."""
    for target in re.findall(r"\]\((?!https?:|#)([^)]+)\)", (ROOT / document).read_text()):
        assert (ROOT / target).exists(), target


@pytest.mark.parametrize("document", ["ARCHITECTURE.md", "CONTRIBUTING.md"])
def test_named_files_exist(document: str) -> None:
    """Every file or folder of the project named in code style is there."""
    names = re.findall(
        r"`((?:bot/|chat/|engine/|storage/|adapters/|tests/|benchmarks/)[\w/*]*(?:\.py)?)",
        (ROOT / document).read_text(),
    )
    assert names
    for name in names:
        assert list(ROOT.glob(name.rstrip("/"))) or list((ROOT / "bot").glob(name.rstrip("/"))), name


def test_the_way_of_a_message_names_real_modules() -> None:
    """Modules of the engine that the architecture names without their folder exist."""
    text = (ROOT / "ARCHITECTURE.md").read_text()
    way = text[text.index("## The way") : text.index("## The rules")]
    named = [
        name for listed in re.findall(r"\(((?:`[a-z_]+`(?:, )?)+)\)", way) for name in re.findall(r"[a-z_]+", listed)
    ]
    assert len(named) > 4
    for name in named:
        assert (ROOT / "bot" / "engine" / f"{name}.py").exists(), name


def test_the_rooms_name_real_modules() -> None:
    """The overview's folders and files exist."""
    text = (ROOT / "ARCHITECTURE.md").read_text()
    rooms = text[text.index("```") : text.index("```", text.index("```") + 3)]
    for name in re.findall(r"^  ([a-z_*]+(?:\.py|/))", rooms, flags=re.MULTILINE):
        assert list((ROOT / "bot").glob(name.rstrip("/"))), name


def test_every_make_target_in_the_documents_exists() -> None:
    """A command that a document tells people to type is in the Makefile."""
    makefile = (ROOT / "Makefile").read_text()
    for document in DOCUMENTS:
        for target in re.findall(r"`(?:[A-Z_]+=\S+ )?make (\w+)", (ROOT / document).read_text()):
            assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE), target
