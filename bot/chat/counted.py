"""Numbers with their nouns."""


def counted(number: int, noun: str) -> str:
    """`1 message`, `2 messages`; for nouns with a regular plural."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
