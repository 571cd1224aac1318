"""What one llama sequence holds: its tokens, and the text they stand for."""

from collections.abc import Callable, Iterable

_UNKNOWN = -1


class TokenLog:
    """Tokens with the byte offsets of their text, so that a new prompt can be matched by text.

    Matching by text rather than by ids keeps the cache valid when the model's own reply would be tokenized
    differently from how it was sampled. Offsets are only known where a token's bytes are the text's bytes; some
    tokenizers add or normalise spaces.
    """

    def __init__(self) -> None:
        self.tokens: list[int] = []
        self.text = bytearray()
        self._ends: list[int] = []
        """Byte offset behind each token, or -1 where it is not known."""
        self._clean: list[bool] = []
        """Whether the text after this token is tokenized as if it stood alone."""

    def __len__(self) -> int:
        return len(self.tokens)

    def copy(self) -> "TokenLog":
        """An independent log with the same content."""
        other = TokenLog()
        other.tokens = self.tokens.copy()
        other.text = self.text.copy()
        other._ends = self._ends.copy()
        other._clean = self._clean.copy()
        return other

    def append_prompt(self, text: bytes, pieces: Iterable[tuple[int, bytes, bool]]) -> None:
        """Add a tokenized text; `pieces` are each token's id, bytes, and whether it is a control token."""
        start = offset = len(self.text)
        self.text += text
        aligned = True
        for token, piece, control in pieces:
            if aligned:
                piece_in_text = self._piece_at(offset, piece)
                aligned = piece_in_text is not None
                offset += piece_in_text or 0
            self.tokens.append(token)
            self._ends.append(offset if aligned else _UNKNOWN)
            self._clean.append(aligned and control)
        if len(self.text) > start:
            self._ends[-1] = len(self.text)

    def append_token(self, token: int, piece: bytes) -> None:
        """Add a generated token."""
        self.tokens.append(token)
        self.text += piece
        self._ends.append(len(self.text))
        self._clean.append(False)

    def truncate(self, length: int) -> int:
        """Keep at most `length` tokens, ending where the text's offset is known; returns how many were kept."""
        length = min(length, len(self.tokens))
        while length > 0 and self._ends[length - 1] == _UNKNOWN:
            length -= 1
        del self.tokens[length:], self._ends[length:], self._clean[length:]
        del self.text[self._ends[-1] if self._ends else 0 :]
        return length

    def common_tokens(self, text: bytes) -> int:
        """Tokens whose text is a prefix of `text`; a cheap upper bound for what `match` finds."""
        return self._tokens_until(self._common_bytes(text), clean=False)

    def match(self, text: bytes, tokenize: Callable[[bytes], list[int]], is_control: Callable[[int], bool]) -> "Match":
        """Find how much of `text` this log holds already, and tokenize only the rest.

        A log may be left in the middle of a text only behind a control token, or in front of one: everywhere else the
        rest could be tokenized differently from the whole. Behind that point ids are compared.
        """
        common = self._common_bytes(text)
        kept = self._tokens_until(common, clean=False)
        rest = tokenize(text[self._offset(kept) :])
        if rest and not is_control(rest[0]):
            kept = self._tokens_until(common, clean=True)
            rest = tokenize(text[self._offset(kept) :])
        same = 0
        for mine, new in zip(self.tokens[kept:], rest, strict=False):
            if mine != new:
                break
            same += 1
        return Match(kept=kept, kept_bytes=self._offset(kept), rest=rest, same=same)

    def _piece_at(self, offset: int, piece: bytes) -> int | None:
        """Bytes of the text that `piece` stands for at `offset`; tokenizers may have put a space in front."""
        for candidate in (piece, piece.removeprefix(b" ")):
            if self.text.startswith(candidate, offset):
                return len(candidate)
        return None

    def _offset(self, tokens: int) -> int:
        return self._ends[tokens - 1] if tokens else 0

    def _tokens_until(self, byte_count: int, *, clean: bool) -> int:
        for index in range(len(self.tokens) - 1, -1, -1):
            end = self._ends[index]
            if end != _UNKNOWN and end <= byte_count and (self._clean[index] or not clean):
                return index + 1
        return 0

    def _common_bytes(self, text: bytes) -> int:
        low, high = 0, min(len(self.text), len(text))
        if self.text.startswith(text[:high]):
            return high
        while high - low > 1:
            middle = (low + high) // 2
            if self.text[low:middle] == text[low:middle]:
                low = middle
            else:
                high = middle
        return low


class Match:
    """How a new text continues a `TokenLog`."""

    def __init__(self, *, kept: int, kept_bytes: int, rest: list[int], same: int) -> None:
        self.kept = kept
        """Tokens of the log that stay as they are."""
        self.kept_bytes = kept_bytes
        """Their text's length."""
        self.rest = rest
        """Tokens of the text behind that."""
        self.same = same
        """How many of those the log holds too."""

    @property
    def prompt_tokens(self) -> int:
        """Tokens of the whole text."""
        return self.kept + len(self.rest)

    @property
    def cached_tokens(self) -> int:
        """Tokens that need not be evaluated again."""
        return self.kept + self.same
