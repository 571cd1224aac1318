"""The model's tokens: text to ids and ids to bytes. Read-only, so any thread may use it."""

import ctypes

import llama_cpp

from bot.errors import InvalidRequestError

_PIECE_BYTES = 256


class Vocabulary:
    """Tokenizer of a loaded model. Valid as long as the model is."""

    def __init__(self, model: "llama_cpp.llama_model_p") -> None:
        vocab = llama_cpp.llama_model_get_vocab(model)
        if vocab is None:
            raise ValueError("the model has no vocabulary")
        self.pointer = vocab
        self.size = int(llama_cpp.llama_vocab_n_tokens(vocab))
        self._pieces: list[bytes | None] = [None] * self.size
        attributes = [llama_cpp.llama_vocab_get_attr(vocab, token) for token in range(self.size)]
        self._control = {
            token for token, attribute in enumerate(attributes) if attribute & llama_cpp.LLAMA_TOKEN_ATTR_CONTROL
        }
        self._user_defined = {
            token for token, attribute in enumerate(attributes) if attribute & llama_cpp.LLAMA_TOKEN_ATTR_USER_DEFINED
        }
        self._end = {token for token in range(self.size) if llama_cpp.llama_vocab_is_eog(vocab, token)}
        self.bos_text = self._text_of(llama_cpp.llama_vocab_bos(vocab))
        self.eos_text = self._text_of(llama_cpp.llama_vocab_eos(vocab))
        self.add_bos = bool(llama_cpp.llama_vocab_get_add_bos(vocab)) and bool(self.bos_text)

    @property
    def end_tokens(self) -> list[int]:
        """Tokens with which the model ends its reply."""
        return sorted(self._end)

    @property
    def control_texts(self) -> frozenset[str]:
        """How the control tokens are written; such text from a stranger must not become a control token."""
        return frozenset(self._text_of(token) for token in self._control | self._end) - {""}

    def is_control(self, token: int) -> bool:
        """A token that structures the prompt and is not text."""
        return token in self._control

    def is_marker(self, token: int) -> bool:
        """A control token, or one that was added to mark something, such as `<tool_call>`."""
        if token in self._control:
            return True
        piece = self.piece(token)
        return token in self._user_defined and piece.startswith(b"<") and piece.endswith(b">")

    def is_end(self, token: int) -> bool:
        """A token with which the model ends its reply."""
        return token in self._end

    def piece(self, token: int) -> bytes:
        """Bytes of a token, control tokens spelled out; possibly a part of a UTF-8 character."""
        piece = self._pieces[token]
        if piece is None:
            piece = self._pieces[token] = self._read_piece(token)
        return piece

    def tokenize(self, text: bytes) -> list[int]:
        """Ids of UTF-8 text in which control tokens are spelled out. Adds no token of its own (no BOS)."""
        capacity = len(text) + 16
        while True:
            buffer = (llama_cpp.llama_token * capacity)()
            count = llama_cpp.llama_tokenize(self.pointer, text, len(text), buffer, capacity, False, True)
            if count >= 0:
                return buffer[:count]
            if -count <= capacity:
                raise InvalidRequestError("This text cannot be read by the model.", f"llama_tokenize returned {count}")
            capacity = -count

    def _text_of(self, token: int) -> str:
        return self.piece(token).decode(errors="replace") if 0 <= token < self.size else ""

    def _read_piece(self, token: int) -> bytes:
        size = _PIECE_BYTES
        while True:
            buffer = ctypes.create_string_buffer(size)
            count = llama_cpp.llama_token_to_piece(self.pointer, token, buffer, size, 0, True)
            if count >= 0:
                return buffer.raw[:count]
            size = -count
