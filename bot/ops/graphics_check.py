"""Whether a graphics card of this machine lies idle."""

from collections.abc import Sequence

from bot.check import Check
from bot.engine.gpu_devices import GpuDevice
from bot.ops.graphics_card import GraphicsCard

_MIB = 1 << 20


def graphics_check(cards: Sequence[GraphicsCard], usable: Sequence[GpuDevice]) -> Check:
    """What there is, and what the installed library, which sees only `usable` ones, needs to use it."""
    if usable:
        found = "; ".join(f"{device.description}, {device.free // _MIB} MiB free" for device in usable)
        return Check(name="graphics", status="ok", found=found)
    card = unused_card(cards, usable)
    if card is None:
        return Check(name="graphics", status="ok", found="no card found; the model runs on the processor")
    found = f"{card.name} is not used: llama.cpp was compiled for the processor alone"
    return Check(name="graphics", status="warn", found=found, fix=card.install_advice())


def unused_card(cards: Sequence[GraphicsCard], usable: Sequence[GpuDevice]) -> GraphicsCard | None:
    """The card that would help most, where the library can use none: the one with the most memory."""
    return None if usable else max(cards, key=lambda card: card.total or 0, default=None)
