"""One file or folder per chat platform. Each is optional and loaded by name."""
