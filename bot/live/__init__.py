"""The configuration changes while the daemon runs."""
