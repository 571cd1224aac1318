from pathlib import Path

import pytest

from bot.engine.gpu_devices import GpuDevice
from bot.ops import graphics_check as checks
from bot.ops.graphics_card import GraphicsCard, graphics_cards
from bot.ops.graphics_check import graphics_check

P106 = GraphicsCard(
    vendor="nvidia",
    name="NVIDIA P106-090",
    driver="535.183.01",
    cuda=(12, 2),
    compute_capability=(6, 1),
    total=3 << 30,
)


def plug_in(pci: Path, slot: str, *, kind: str, vendor: str, device: str) -> None:
    """A device as Linux shows it."""
    folder = pci / slot
    folder.mkdir()
    (folder / "class").write_text(kind + "\n")
    (folder / "vendor").write_text(vendor + "\n")
    (folder / "device").write_text(device + "\n")


def test_a_pascal_card_is_told_which_toolkit_can_compile_for_it() -> None:
    """CUDA 13 has dropped that family; the command names the card's own architecture."""
    advice = P106.install_advice()
    assert "CUDA toolkit 12 or 11 (this driver serves up to 12.2)" in advice
    assert 'CMAKE_ARGS="-DGGML_CUDA=on -DCMAKE_CUDA_ARCHITECTURES=61" make rebuild' in advice


def test_a_newer_card_takes_the_newest_toolkit_of_its_driver() -> None:
    """And not an older one's limits."""
    card = GraphicsCard(
        vendor="nvidia", name="RTX 3060", driver="580.1", cuda=(13, 0), compute_capability=(8, 6), total=12 << 30
    )
    advice = card.install_advice()
    assert "CUDA toolkit 13.0 or older" in advice
    assert "ARCHITECTURES=86" in advice


def test_a_card_without_its_driver_needs_that_first(tmp_path: Path) -> None:
    """It stands on the bus, but nobody can ask it anything."""
    plug_in(tmp_path, "0000:01:00.0", kind="0x030200", vendor="0x10de", device="0x1c09")
    (card,) = graphics_cards(tmp_path)
    assert card.vendor == "nvidia"
    assert "0x1c09" in card.name
    assert "install NVIDIA's driver first" in card.install_advice()


@pytest.mark.parametrize(("vendor", "build"), [("0x1002", "GGML_HIP"), ("0x8086", "GGML_VULKAN")])
def test_other_makers_have_their_own_builds(tmp_path: Path, vendor: str, build: str) -> None:
    """ROCm or Vulkan."""
    plug_in(tmp_path, "0000:03:00.0", kind="0x030000", vendor=vendor, device="0x73bf")
    (card,) = graphics_cards(tmp_path)
    assert build in card.install_advice()


def test_built_in_graphics_do_not_stand_beside_a_card(tmp_path: Path) -> None:
    """They share the memory that the model is in anyway; network cards are none at all."""
    plug_in(tmp_path, "0000:00:02.0", kind="0x030000", vendor="0x8086", device="0x0412")
    plug_in(tmp_path, "0000:01:00.0", kind="0x030000", vendor="0x10de", device="0x1c09")
    plug_in(tmp_path, "0000:02:00.0", kind="0x020000", vendor="0x8086", device="0x1533")
    assert [card.vendor for card in graphics_cards(tmp_path)] == ["nvidia"]


def test_a_machine_that_shows_no_bus_has_no_cards(tmp_path: Path) -> None:
    """As in containers, and on other systems than Linux."""
    assert graphics_cards(tmp_path / "nothing") == ()


def test_a_card_that_lies_idle_is_a_warning_with_the_command() -> None:
    """A library that was built for the processor uses no card and says nothing."""
    check = graphics_check([P106], [])
    assert check.status == "warn"
    assert "P106-090 is not used" in check.found
    assert "make rebuild" in check.fix


def test_a_card_that_is_used_is_shown_with_its_memory() -> None:
    """As the library itself sees it."""
    check = graphics_check([P106], [GpuDevice(description="NVIDIA P106-090", free=2900 << 20)])
    assert (check.status, check.found) == ("ok", "NVIDIA P106-090, 2900 MiB free")


def test_no_card_is_nothing_to_mend() -> None:
    """Most boxes have none."""
    assert graphics_check([], []).status == "ok"


def test_a_start_says_that_a_card_lies_idle(monkeypatch: pytest.MonkeyPatch) -> None:
    """In one line, with the command; not where the owner wants none on it, nor where the library uses it."""
    monkeypatch.setattr(checks, "graphics_cards", lambda: (P106,))
    monkeypatch.setattr(checks, "gpu_devices", lambda: ())
    assert "make rebuild" in (checks.idle_card_notice("auto") or "")
    assert checks.idle_card_notice(0) is None
    monkeypatch.setattr(checks, "gpu_devices", lambda: (GpuDevice(description="P106", free=1),))
    assert checks.idle_card_notice("auto") is None
