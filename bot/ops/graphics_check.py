"""Whether a graphics card of this machine lies idle."""

from collections.abc import Sequence

from bot.check import Check
from bot.engine.gpu_devices import GpuDevice, gpu_devices
from bot.ops.graphics_card import GraphicsCard, graphics_cards

_MIB = 1 << 20


def graphics_check(cards: Sequence[GraphicsCard], usable: Sequence[GpuDevice]) -> Check:
    """What there is, and what the installed library, which sees only `usable` ones, needs to use it."""
    if usable:
        found = "; ".join(f"{device.description}, {device.free // _MIB} MiB free" for device in usable)
        return Check(name="graphics", status="ok", found=found)
    card = unused_card(cards, usable)
    if card is None:
        return Check(name="graphics", status="ok", found="no card found; the model runs on the processor")
    return Check(name="graphics", status="warn", found=_unused(card), fix=card.install_advice())


def idle_card_notice(n_gpu_layers: int | str) -> str | None:
    """What the owner is told at a start about a card that lies idle; None where none does, or none was wanted."""
    card = unused_card(graphics_cards(), gpu_devices()) if n_gpu_layers != 0 else None
    return None if card is None else f"{_unused(card)}. To change that, {card.install_advice()}"


def unused_card(cards: Sequence[GraphicsCard], usable: Sequence[GpuDevice]) -> GraphicsCard | None:
    """The card that would help most, where the library can use none: the one with the most memory."""
    return None if usable else max(cards, key=lambda card: card.total or 0, default=None)


def _unused(card: GraphicsCard) -> str:
    return f"{card.name} is not used: llama.cpp was compiled for the processor alone"
