"""What of a state a prompt can start from, which depends on where the model's memory can be cut."""

from collections.abc import Callable

from bot.engine.reasoning import control_texts_in_tags
from bot.engine.runner import Runner
from bot.engine.slots import Slot
from bot.engine.token_log import Match, TokenLog

_REPLY_OPENING = 16
"""Tokens. What a template writes in front of a reply (`assistant`, an opened or empty thought) is not longer."""


class Reuse:
    """Measures sequences and stored states against prompts. Touches no context but to ask a sequence its length."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._vocabulary = runner.vocabulary
        self._anywhere = not runner.needs_checkpoints
        self._thought_tags = {text.encode() for text in control_texts_in_tags(self._vocabulary.control_texts)}

    def of_sequence(self, slot: Slot, text: bytes) -> int:
        """Tokens of a text's start that a sequence can give. On the inference thread only."""
        return self._tokens(
            slot.log, slot.evaluated, text, lambda length: self._runner.can_truncate(slot.seq_id, length)
        )

    def of_stored(self, log: TokenLog, text: bytes) -> int:
        """Tokens of a text's start that a stored state can give. On any thread."""
        held = len(log)
        return self._tokens(log, held, text, lambda length: self._runner.can_truncate_saved(held, length))

    def match(self, log: TokenLog, text: bytes) -> Match:
        """How a prompt continues a log."""
        return log.match(text, self._vocabulary.tokenize, self._vocabulary.is_control)

    def checkpoint(self, log: TokenLog) -> int:
        """Tokens of a prompt after which its state is worth keeping; 0 where the memory can be cut there anyway.

        In front of the reply and of what opens it: there begin a second try, an edited reply, and the next prompt of a
        template that opens a thought and leaves it out of the history.
        """
        if self._anywhere:
            return 0
        for count in reversed(log.clean.counts):
            if count < len(log) - _REPLY_OPENING:
                break
            if count < len(log) and self._vocabulary.piece(log.tokens[count - 1]) not in self._thought_tags:
                return count
        return next((count for count in reversed(log.known.counts) if count < len(log)), 0)

    def _tokens(self, log: TokenLog, held: int, text: bytes, can_keep: Callable[[int], bool]) -> int:
        most = min(log.common_tokens(text), held)
        if self._anywhere or most == 0:
            return most
        if not can_keep(most):  # nor less than that
            return 0
        # A miss of one token is a miss of everything here, so the tokens are compared, not their text only.
        exactly = self.match(log, text).reusable(held)
        return exactly if can_keep(exactly) else 0
