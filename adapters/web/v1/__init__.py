"""OpenAI's API, version 1: one noun of it a file."""
