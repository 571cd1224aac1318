"""How sure the model was of a token."""

import numpy as np
from numpy.typing import NDArray

from bot.engine.vocabulary import Vocabulary
from bot.request import TokenLogprob


class Logprobs:
    """Reads log probabilities from logits, before anything has changed them."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary

    def of(self, logits: NDArray[np.float32], token: int, *, top: int) -> TokenLogprob:
        """The natural logarithm of a token's probability, with the `top` likeliest ones, likeliest first."""
        highest = float(logits.max())
        total = highest + float(np.log(np.exp(logits - highest, dtype=np.float32).sum(dtype=np.float64)))
        likeliest = np.argpartition(logits, -top)[-top:] if top else np.empty(0, dtype=np.intp)
        ordered = likeliest[np.argsort(-logits[likeliest], kind="stable")]
        return TokenLogprob(
            token=self._vocabulary.piece(token),
            logprob=float(logits[token]) - total,
            top=tuple(
                TokenLogprob(token=self._vocabulary.piece(each), logprob=float(logits[each]) - total)
                for each in map(int, ordered)
            ),
        )

    def certain(self, token: int) -> TokenLogprob:
        """Of a token that the model was not asked for."""
        return TokenLogprob(token=self._vocabulary.piece(token), logprob=0.0)
