"""What could not be shown for now."""


class UndeliveredError(Exception):
    """The platform was asked for as long as it is worth; the outbox goes on later."""

    def __init__(self, *, retry_after_s: float = 0.0) -> None:
        """`retry_after_s` is the pause that the platform wants, in seconds."""
        super().__init__(retry_after_s)
        self.retry_after_s = retry_after_s
