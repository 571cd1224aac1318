"""The command line: the only place that composes objects and maps errors to exit codes."""
