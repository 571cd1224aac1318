"""The graphics cards of this machine, whether or not the installed library can use them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pynvml

Vendor = Literal["nvidia", "amd", "intel"]

_VENDORS: dict[str, Vendor] = {"0x10de": "nvidia", "0x1002": "amd", "0x8086": "intel"}
"""https://pci-ids.ucw.cz"""
_DISPLAY = "0x03"
"""The PCI base class of display controllers; mining cards have it too, as 3D controllers."""
_CUDA_12_ONLY_BELOW = (7, 5)
"""CUDA 13 compiles for Turing (7.5) and newer only: its release notes, section on dropped architectures."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphicsCard:
    """One card. What its driver did not say is None."""

    vendor: Vendor
    name: str
    driver: str | None = None
    """Version of the driver that runs it."""
    cuda: tuple[int, int] | None = None
    """The newest CUDA that the driver can serve."""
    compute_capability: tuple[int, int] | None = None
    total: int | None = None
    """Bytes of its memory."""

    def install_advice(self) -> str:
        """The commands that make the library able to use it."""
        match self.vendor:
            case "nvidia":
                return self._cuda_advice()
            case "amd":
                return f'with ROCm installed: CMAKE_ARGS="-DGGML_HIP=on" make rebuild; without it: {_vulkan_command()}'
            case "intel":
                return _vulkan_command()

    def _cuda_advice(self) -> str:
        if self.driver is None:
            return (
                "install NVIDIA's driver first (Debian: sudo apt install nvidia-driver; cards of the Pascal family and "
                "older need a driver of the 580 series or before), restart, and run this again"
            )
        architecture = "".join(map(str, self.compute_capability)) if self.compute_capability else "native"
        command = f'CMAKE_ARGS="-DGGML_CUDA=on -DCMAKE_CUDA_ARCHITECTURES={architecture}" make rebuild'
        return f"{self._toolkit()}, then: {command}"

    def _toolkit(self) -> str:
        newest = f"{self.cuda[0]}.{self.cuda[1]}" if self.cuda else None
        if self.compute_capability is not None and self.compute_capability < _CUDA_12_ONLY_BELOW:
            limit = f" (this driver serves up to {newest})" if newest and self.cuda and self.cuda[0] < 13 else ""  # noqa: PLR2004
            return f"install the CUDA toolkit 12 or 11{limit}, for 13 cannot compile for this card"
        return f"install the CUDA toolkit {newest} or older" if newest else "install the CUDA toolkit"


def graphics_cards(pci: Path = Path("/sys/bus/pci/devices")) -> tuple[GraphicsCard, ...]:
    """Every card: those of NVIDIA by their driver where it runs, others by what stands on the PCI bus.

    A processor's built-in graphics count only where they are AMD's or Intel's and no card is there beside them, since
    they share the memory that the model is in anyway. None where the system does not show its bus.
    """
    on_bus = list(_on_bus(pci))
    asked = list(_nvidia())
    cards = [*asked, *(card for card in on_bus if not (asked and card.vendor == "nvidia"))]
    real = [card for card in cards if card.vendor != "intel"]
    return tuple(real or cards)


def _on_bus(pci: Path) -> Iterator[GraphicsCard]:
    try:
        devices = sorted(pci.iterdir())
    except OSError:
        return
    for device in devices:
        try:
            kind, vendor = (device / "class").read_text().strip(), (device / "vendor").read_text().strip()
            identity = (device / "device").read_text().strip()
        except OSError:
            continue
        if kind.startswith(_DISPLAY) and vendor in _VENDORS:
            yield GraphicsCard(vendor=_VENDORS[vendor], name=f"{_VENDORS[vendor].upper()} card {identity}")


def _nvidia() -> Iterator[GraphicsCard]:
    with _nvml() as there:
        if not there:
            return
        driver = pynvml.nvmlSystemGetDriverVersion()
        version = pynvml.nvmlSystemGetCudaDriverVersion_v2()
        for index in range(pynvml.nvmlDeviceGetCount()):
            handle = pynvml.nvmlDeviceGetHandleByIndex(index)
            yield GraphicsCard(
                vendor="nvidia",
                name=pynvml.nvmlDeviceGetName(handle),
                driver=driver,
                cuda=(version // 1000, version % 1000 // 10),
                compute_capability=tuple(pynvml.nvmlDeviceGetCudaComputeCapability(handle)),
                total=pynvml.nvmlDeviceGetMemoryInfo(handle).total,
            )


@contextmanager
def _nvml() -> Iterator[bool]:
    """NVIDIA's management library; False where there is none or it does not work."""
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        yield False
        return
    try:
        yield True
    finally:
        pynvml.nvmlShutdown()


def _vulkan_command() -> str:
    return 'sudo apt install libvulkan-dev glslc, then: CMAKE_ARGS="-DGGML_VULKAN=on" make rebuild'
