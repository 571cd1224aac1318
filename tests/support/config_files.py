"""Configuration files for tests, and adapters that they may name."""

from pathlib import Path

from bot.config import LoadedConfig, load
from bot.errors import ConfigError, MissingDependencyError
from bot.settings import AdapterSettings, Secret, Text


class RadioSettings(AdapterSettings):
    """An adapter's section with a required key and a secret."""

    channel: int
    volume: float = 0.5
    token: Secret | None = None
    token_env: Text | None = None


def adapter_settings(name: str) -> type[AdapterSettings]:
    """Know one adapter that works and one whose packages are missing."""
    if name == "radio":
        return RadioSettings
    if name == "pager":
        raise MissingDependencyError("the adapter pager is not installed completely")
    raise ConfigError(f"there is no adapter called {name}; did you mean radio?")


def read(folder: Path, text: str | bytes, **environ: str) -> LoadedConfig:
    """Load `text` as a file in `folder`."""
    file = folder / "config.yaml"
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    return load(file, environ=environ, adapter_settings=adapter_settings)


def refusal(folder: Path, text: str | bytes) -> str:
    """Load `text`, which must fail, and return what the error says, with the folder left out."""
    try:
        read(folder, text)
    except ConfigError as error:
        return str(error).replace(f"{folder}/", "")
    raise AssertionError("the configuration was accepted")
