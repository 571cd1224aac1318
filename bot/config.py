"""YAML to frozen settings, with the place of every error."""
