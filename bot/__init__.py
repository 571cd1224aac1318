"""The hearthbot daemon. It knows no chat platform: those live in `adapters`."""

__version__ = "0.1.0"
