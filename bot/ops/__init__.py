"""What the owner of a box asks of the daemon besides chatting."""
