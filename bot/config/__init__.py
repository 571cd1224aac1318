"""The YAML file: reading it, with the place of every error, and showing what holds."""

from bot.config.loading import LoadedConfig, dump_value, load, parse

__all__ = ["LoadedConfig", "dump_value", "load", "parse"]
