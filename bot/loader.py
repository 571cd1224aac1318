"""Finds an adapter by its name: in a table of built-in ones, or among those of installed packages."""

import importlib
import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from importlib.metadata import EntryPoint, entry_points
from types import MappingProxyType
from typing import Any

from bot.adapter import Adapter
from bot.errors import ConfigError, MissingDependencyError
from bot.settings import AdapterSettings

ENTRY_POINT_GROUP = "hearthbot.adapters"


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltInAdapter:
    """An adapter that comes with the daemon."""

    target: str
    """`module:Class`, imported when the adapter is first asked for."""
    extra: str | None = None
    """The extra of this package that installs the platform's SDK; None where none is needed."""


BUILT_IN: Mapping[str, BuiltInAdapter] = MappingProxyType(
    {
        "console": BuiltInAdapter(target="adapters.console:ConsoleAdapter"),
        "telegram": BuiltInAdapter(target="adapters.telegram:TelegramAdapter", extra="telegram"),
        "discord": BuiltInAdapter(target="adapters.discord:DiscordAdapter", extra="discord"),
        "web": BuiltInAdapter(target="adapters.web:WebAdapter", extra="web"),
    }
)


def _installed() -> Iterable[EntryPoint]:
    return entry_points(group=ENTRY_POINT_GROUP)


class AdapterLoader:
    """Resolves the names under `adapters` in the configuration to adapter classes."""

    def __init__(
        self,
        *,
        built_in: Mapping[str, BuiltInAdapter] = BUILT_IN,
        installed: Callable[[], Iterable[EntryPoint]] = _installed,
    ) -> None:
        self._built_in = built_in
        self._installed = installed

    def names(self) -> tuple[str, ...]:
        """Every adapter that may be configured, built-in ones first."""
        others = {point.name for point in self._installed()} - self._built_in.keys()
        return (*self._built_in, *sorted(others))

    def load(self, name: str) -> type[Adapter]:
        """The adapter's class.

        Raises `ConfigError` for an unknown name, one that two packages claim, and a package that is broken;
        `MissingDependencyError` if the platform's SDK is not installed.
        """
        points = [point for point in self._installed() if point.name == name]
        built_in = self._built_in.get(name)
        if built_in is None and not points:
            raise ConfigError(self._unknown(name))
        if len(points) + (built_in is not None) > 1:
            packages = ", ".join(sorted(point.value for point in points))
            raise ConfigError(f"more than one adapter is called {name}; uninstall the package that has {packages}")
        if built_in:
            return self._checked(name, self._import(name, lambda: _resolve(built_in.target), built_in.extra))
        return self._checked(name, self._import(name, points[0].load, None))

    def settings_type(self, name: str) -> type[AdapterSettings]:
        """The class that the adapter's section of the configuration is validated with. Raises what `load` raises."""
        return self.load(name).settings_type

    def _import(self, name: str, load: Callable[[], Any], extra: str | None) -> Any:
        try:
            return load()
        except ImportError as error:
            if extra:
                advice = f"install it with: pip install 'hearthbot[{extra}]'"
            else:
                advice = "reinstall the package that provides it"
            missing = f" ({error.name} is missing)" if error.name else ""
            raise MissingDependencyError(
                f"the adapter {name} is not installed completely{missing}; {advice}"
            ) from error
        except Exception as error:  # a package of somebody else can fail in any way when it is imported
            raise ConfigError(f"the adapter {name} cannot be loaded: {type(error).__name__}: {error}") from error

    def _checked(self, name: str, found: Any) -> type[Adapter]:
        if not (inspect.isclass(found) and issubclass(found, Adapter)) or inspect.isabstract(found):
            raise ConfigError(f"the adapter {name} cannot be used: it is no complete subclass of bot.adapter.Adapter")
        settings_type = getattr(found, "settings_type", None)
        if not (inspect.isclass(settings_type) and issubclass(settings_type, AdapterSettings)):
            raise ConfigError(f"the adapter {name} cannot be used: its settings_type is no AdapterSettings")
        return found

    def _unknown(self, name: str) -> str:
        known = self.names()
        nearest = get_close_matches(name.lower(), known, n=1)
        hint = f"; did you mean {nearest[0]}?" if nearest else ""
        return f"there is no adapter called {name}{hint}; known: {', '.join(known)}"


def _resolve(target: str) -> Any:
    module, _, attribute = target.partition(":")
    return getattr(importlib.import_module(module), attribute)
