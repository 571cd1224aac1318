"""What happens to one message: service, commands, prompt, delivery, access."""
