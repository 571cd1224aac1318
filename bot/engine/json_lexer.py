"""Where in a piece of JSON its end lies: inside a string, in how many brackets."""


class JsonLexer:
    """Reads JSON piece by piece."""

    def __init__(self) -> None:
        self.in_string = False
        self.depth = 0
        """Brackets that are open."""
        self._escaped = False

    def copy(self) -> "JsonLexer":
        """An independent one at the same place."""
        other = JsonLexer()
        other.in_string, other.depth, other._escaped = self.in_string, self.depth, self._escaped
        return other

    def feed(self, piece: bytes) -> None:
        """Read on."""
        for byte in piece:
            if self._escaped:
                self._escaped = False
            elif byte == ord('"'):
                self.in_string = not self.in_string
            elif self.in_string:
                self._escaped = byte == ord("\\")
            elif byte in b"{[":
                self.depth += 1
            elif byte in b"}]":
                self.depth -= 1
