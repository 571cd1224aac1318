"""Whether the end of a piece of JSON lies inside a string."""


class JsonLexer:
    """Reads JSON piece by piece."""

    def __init__(self) -> None:
        self.in_string = False
        self._escaped = False

    def copy(self) -> "JsonLexer":
        """An independent one at the same place."""
        other = JsonLexer()
        other.in_string, other._escaped = self.in_string, self._escaped
        return other

    def feed(self, piece: bytes) -> None:
        """Read on."""
        for byte in piece:
            if self._escaped:
                self._escaped = False
            elif byte == ord('"'):
                self.in_string = not self.in_string
            elif byte == ord("\\"):
                self._escaped = self.in_string
