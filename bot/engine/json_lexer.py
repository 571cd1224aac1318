"""Where in a piece of JSON its end lies: inside a string, in how many brackets."""


class JsonLexer:
    """Reads JSON piece by piece."""

    def __init__(self) -> None:
        self.in_string = False
        self.depth = 0
        """Brackets that are open."""
        self.string = bytearray()
        """What the string that is open, or was last, has after its quotation mark."""
        self._escaped = False

    def copy(self) -> "JsonLexer":
        """An independent one at the same place."""
        other = JsonLexer()
        other.in_string, other.depth, other._escaped = self.in_string, self.depth, self._escaped
        other.string = bytearray(self.string)
        return other

    def feed(self, piece: bytes) -> None:
        """Read on."""
        for byte in piece:
            if self._escaped:
                self._escaped = False
                self.string.append(byte)
            elif byte == ord('"'):
                self.in_string = not self.in_string
                if self.in_string:
                    self.string.clear()
            elif self.in_string:
                self._escaped = byte == ord("\\")
                self.string.append(byte)
            elif byte in b"{[":
                self.depth += 1
            elif byte in b"}]":
                self.depth -= 1
