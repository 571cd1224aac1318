"""Finds an adapter by its name."""
