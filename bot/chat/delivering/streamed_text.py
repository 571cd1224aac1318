"""The text of a reply while it grows."""

from bot.messages import ReplyDelta


class StreamedText:
    """Collects the pieces of a reply. Thoughts, where they are shown, come first as a Markdown quotation."""

    def __init__(self) -> None:
        self._answer: list[str] = []
        self._thoughts: list[str] = []

    @property
    def answer(self) -> str:
        """What there is of the answer, without thoughts."""
        return "".join(self._answer)

    def add(self, delta: ReplyDelta) -> None:
        """Take the next piece."""
        (self._thoughts if delta.reasoning else self._answer).append(delta.text)

    def so_far(self) -> str:
        """All of it, as it is to be shown."""
        return self.complete(self.answer.lstrip())

    def complete(self, answer: str) -> str:
        """The whole of `answer`, with the thoughts that led to it."""
        thoughts = "".join(self._thoughts).strip()
        quotation = "\n".join(f"> {line}".rstrip() for line in thoughts.splitlines())
        return f"{quotation}\n\n{answer.lstrip()}".rstrip() if quotation else answer
