"""How the model is called."""

import time

from adapters.web.api_error import ApiError
from bot.adapter import ModelAccess

ALIAS = "hearthbot"
"""Always a name of the model, whichever it is."""


class ModelNames:
    """Knows the name of the model also while it is not in memory."""

    def __init__(self, model: ModelAccess) -> None:
        self._model = model
        self._last = ""
        self.since = int(time.time())
        """Unix time of the start."""

    @property
    def names(self) -> tuple[str, ...]:
        """Every name that a request may use, the model's own first."""
        return (self.own, ALIAS) if self.own != ALIAS else (ALIAS,)

    @property
    def own(self) -> str:
        """The model's own name."""
        self._last = self._model.status().model or self._last
        return self._last or ALIAS

    def check(self, asked: str | None) -> str:
        """The name that the answer gives. Raises `ApiError` 404 for another model."""
        if asked is not None and asked not in self.names:
            known = " or ".join(self.names)
            raise ApiError(
                404,
                f"There is no model {asked!r} here. Use {known}, or leave `model` out.",
                code="model_not_found",
                param="model",
            )
        return self.own
