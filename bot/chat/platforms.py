"""The adapters that are up, as places where something can be said unasked."""

from bot.adapter import OpenTarget, ReplyTarget
from bot.messages import ChatAddress


class Platforms:
    """Who is connected now."""

    def __init__(self) -> None:
        self._open: dict[str, OpenTarget] = {}

    def connected(self, name: str, open_target: OpenTarget) -> None:
        """An adapter is up."""
        self._open[name] = open_target

    def disconnected(self, name: str) -> None:
        """The adapter is not up any more."""
        self._open.pop(name, None)

    def target(self, address: ChatAddress) -> ReplyTarget | None:
        """Where to say something at `address`; None while its adapter is not up, or can say nothing unasked."""
        open_target = self._open.get(address.adapter)
        return None if open_target is None else open_target(address)
