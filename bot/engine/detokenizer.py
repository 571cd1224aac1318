"""Token bytes to text."""

import codecs


class Detokenizer:
    """Joins the bytes of tokens into text, holding back a UTF-8 character until it is whole."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")

    def feed(self, piece: bytes) -> str:
        """Add a token's bytes; returns the text that is complete now."""
        return self._decoder.decode(piece)

    def flush(self) -> str:
        """End the text; an unfinished character becomes U+FFFD."""
        return self._decoder.decode(b"", final=True)
