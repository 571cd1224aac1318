"""What a person can tell the bot besides talking to it."""
