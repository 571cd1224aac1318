"""What is different between two configurations."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from pydantic import BaseModel

from bot.errors import ConfigError
from bot.settings import AdapterSettings, Configuration

Adapters = Mapping[str, AdapterSettings]
"""The adapters that are to run, by name."""

_FIXED = ("storage",)
"""Sections that everything stands on: another database is another life."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigChange:
    """What has to be done to get from one configuration to another."""

    sections: tuple[str, ...]
    """Sections that differ, apart from the adapters."""
    model: bool
    """The model has to be loaded again."""
    stopped: tuple[str, ...]
    started: tuple[str, ...]
    restarted: tuple[str, ...]
    """Adapters by name."""

    @classmethod
    def between(cls, old: Configuration, new: Configuration, *, running: Adapters, wanted: Adapters) -> Self:
        """Raises `ConfigError` for what cannot be changed while the daemon runs."""
        sections = tuple(
            name
            for name in Configuration.model_fields
            if name != "adapters" and getattr(old, name) != getattr(new, name)
        )
        for name in _FIXED:
            if name in sections:
                keys = ", ".join(f"{name}.{key}" for key in _different(getattr(old, name), getattr(new, name)))
                raise ConfigError(f"{keys}: cannot be changed while the daemon runs; nothing was changed. Restart it.")
        # How long a stop may take concerns nobody before it comes.
        engine = new.engine.model_copy(update={"shutdown_timeout": old.engine.shutdown_timeout})
        return cls(
            sections=sections,
            model=old.model != new.model or old.engine != engine,
            stopped=tuple(name for name in running if name not in wanted),
            started=tuple(name for name in wanted if name not in running),
            restarted=tuple(name for name in wanted if name in running and running[name] != wanted[name]),
        )

    def __bool__(self) -> bool:
        """Whether anything is different."""
        return bool(self.sections or self.stopped or self.started or self.restarted)

    def __str__(self) -> str:
        """In words, for an admin."""
        parts = [
            f"{verb}: {', '.join(names)}"
            for verb, names in (
                ("changed", self.sections),
                ("loaded again", ("the model",) if self.model else ()),
                ("starting", self.started),
                ("restarting", self.restarted),
                ("stopping", self.stopped),
            )
            if names
        ]
        return "; ".join(parts) or "nothing is different"


def _different(old: BaseModel, new: BaseModel) -> list[str]:
    return [name for name in type(old).model_fields if getattr(old, name) != getattr(new, name)]
