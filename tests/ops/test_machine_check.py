from pathlib import Path

from bot.ops.machine_check import clock_check, memory_check, processor_check
from bot.ops.service_check import service_check


def test_a_clock_before_this_program_existed_is_wrong() -> None:
    """A board whose battery is empty starts in 1970, and every platform refuses it."""
    check = clock_check(0.0)
    assert check.status == "fail"
    assert check.found.startswith("19")
    assert "timedatectl" in check.fix
    assert clock_check(2_000_000_000.0).status == "ok"


def test_a_model_larger_than_what_is_free_is_a_warning() -> None:
    """It would be read from the disk for every token."""
    assert memory_check(1 << 50).status == "warn"
    assert memory_check(1).status == "ok"


def test_the_processor_is_shown_with_what_the_library_uses_of_it() -> None:
    """Cores, and instruction sets in the library's words."""
    found = processor_check().found
    assert "cores" in found
    assert "llama.cpp uses" in found


def test_a_service_of_another_installation_is_a_warning(tmp_path: Path) -> None:
    """After moving the project, the unit still starts the old place."""
    unit = tmp_path / "hearthbot.service"
    unit.write_text("[Service]\nExecStart=/opt/old/.venv/bin/hearthbot run\n")
    assert service_check(Path("/opt/new/.venv/bin/hearthbot"), [tmp_path]).status == "warn"
    assert service_check(Path("/opt/old/.venv/bin/hearthbot"), [tmp_path]).status == "ok"


def test_no_service_is_fine(tmp_path: Path) -> None:
    """It also runs by hand."""
    assert "not installed" in service_check(Path("/x"), [tmp_path]).found
