"""What several commands take, and what they make of it."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.credentials import with_credentials

if TYPE_CHECKING:
    from bot.config import LoadedConfig

ConfigOption = Annotated[
    Path | None, typer.Option("--config", "-c", metavar="FILE", help="The file, instead of the one that is found.")
]


def load_configuration(config: Path | None) -> "LoadedConfig":
    """Read the configuration, with the adapters' own sections. Raises `ConfigError`."""
    from bot.config import load  # noqa: PLC0415 - a quarter of a second, which `hearthbot --help` need not take
    from bot.loader import AdapterLoader  # noqa: PLC0415

    return load(config, environ=with_credentials(os.environ), adapter_settings=AdapterLoader().settings_type)
