"""Choosing the next token with llama.cpp's native samplers."""

import ctypes
import secrets
from collections.abc import Iterable

import llama_cpp

from bot.engine.vocabulary import Vocabulary
from bot.errors import InvalidRequestError
from bot.request import SamplingParams


class Sampler:
    """A sampler chain for one request, in the order of llama.cpp's `common_sampler_init`.

    Penalties and DRY look at the tokens given to `accept` and at every token that was sampled.
    """

    def __init__(self, params: SamplingParams, vocabulary: Vocabulary, *, n_ctx: int) -> None:
        """`n_ctx` is what a look-back of -1 means, in tokens. Raises `InvalidRequestError` for an unknown token id."""
        for token in params.logit_bias:
            if not 0 <= token < vocabulary.size:
                raise InvalidRequestError(
                    f"logit_bias names token {token}; this model has tokens 0 to {vocabulary.size - 1}."
                )
        self.takes_the_best = params.temperature <= 0 and not (
            params.logit_bias or _has_penalties(params) or params.dry_multiplier
        )
        """Whether all it does is to choose the token with the largest logit."""
        self.pointer = llama_cpp.llama_sampler_chain_init(llama_cpp.llama_sampler_chain_default_params())
        for part in _parts(params, vocabulary, n_ctx):
            llama_cpp.llama_sampler_chain_add(self.pointer, part)

    def accept(self, tokens: Iterable[int]) -> None:
        """Show tokens that were not sampled here: the end of the prompt, or forced ones."""
        for token in tokens:
            llama_cpp.llama_sampler_accept(self.pointer, token)

    def close(self) -> None:
        """Free the chain."""
        if self.pointer is not None:
            llama_cpp.llama_sampler_free(self.pointer)
            self.pointer = None


def lookback(params: SamplingParams, n_ctx: int) -> int:
    """How many tokens of the prompt the penalties and DRY want to see."""
    last_n = n_ctx if params.penalty_last_n < 0 else params.penalty_last_n
    dry_last_n = n_ctx if params.dry_penalty_last_n < 0 else params.dry_penalty_last_n
    return max(last_n if _has_penalties(params) else 0, dry_last_n if params.dry_multiplier else 0)


def _has_penalties(params: SamplingParams) -> bool:
    return params.repeat_penalty != 1 or params.presence_penalty != 0 or params.frequency_penalty != 0


def _parts(params: SamplingParams, vocabulary: Vocabulary, n_ctx: int) -> Iterable["llama_cpp.llama_sampler_p"]:
    if params.logit_bias:
        pairs = [llama_cpp.llama_logit_bias(token, bias) for token, bias in params.logit_bias.items()]
        biases = (llama_cpp.llama_logit_bias * len(pairs))(*pairs)
        yield llama_cpp.llama_sampler_init_logit_bias(vocabulary.size, len(biases), biases)
    if _has_penalties(params):
        last_n = n_ctx if params.penalty_last_n < 0 else params.penalty_last_n
        yield llama_cpp.llama_sampler_init_penalties(
            vocabulary.size, last_n, params.repeat_penalty, params.frequency_penalty, params.presence_penalty
        )
    if params.dry_multiplier:
        breakers = [text.encode() for text in params.dry_sequence_breakers]
        yield llama_cpp.llama_sampler_init_dry(
            vocabulary.pointer,
            params.dry_multiplier,
            params.dry_base,
            params.dry_allowed_length,
            n_ctx if params.dry_penalty_last_n < 0 else params.dry_penalty_last_n,
            (ctypes.c_char_p * len(breakers))(*breakers),
            len(breakers),
        )
    if params.temperature <= 0:
        yield llama_cpp.llama_sampler_init_greedy()
        return
    if params.top_k > 0:
        yield llama_cpp.llama_sampler_init_top_k(params.top_k)
    if params.typical_p < 1:
        yield llama_cpp.llama_sampler_init_typical(params.typical_p, 1)
    if params.top_p < 1:
        yield llama_cpp.llama_sampler_init_top_p(params.top_p, 1)
    if params.min_p > 0:
        yield llama_cpp.llama_sampler_init_min_p(params.min_p, 1)
    yield llama_cpp.llama_sampler_init_temp(params.temperature)
    yield llama_cpp.llama_sampler_init_dist(secrets.randbits(31) if params.seed is None else params.seed)
