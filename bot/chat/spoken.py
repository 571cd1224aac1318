"""What a person said, as the model is shown it."""

from bot.storage.records import Conversation, Turn

_LONGEST_NAME = 40


def spoken(turn: Turn, conversation: Conversation) -> str:
    """The message; where several people talk, with the sender's name in front, so that the model tells them apart."""
    if not conversation.key.shared:
        return turn.text
    # A name is its owner's choice: it must not look like somebody else's line.
    name = " ".join(turn.sender_name.replace(":", " ").split())[:_LONGEST_NAME].strip()
    return f"{name or 'Somebody'}: {turn.text}"
