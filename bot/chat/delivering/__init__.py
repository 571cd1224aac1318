"""How an answer gets onto a chat platform, complete, in order, and once."""
