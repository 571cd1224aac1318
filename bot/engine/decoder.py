"""Makes tokens of logits, and a reply of tokens."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from bot.engine.constraint import Constraint
from bot.engine.logprobs import Logprobs
from bot.engine.reply_writer import Shown
from bot.engine.runner import Runner
from bot.engine.sequence import Sequence
from bot.engine.speculator import Speculator
from bot.messages import FinishReason
from bot.request import GenerationDelta, GenerationEvent

Emit = Callable[[Sequence, GenerationEvent], None]


class Decoder:
    """Writes replies on, one batch's logits at a time. Runs on the inference thread."""

    def __init__(self, runner: Runner, speculator: Speculator, emit: Emit) -> None:
        """`emit` takes what the reader of a reply is to know."""
        self._logprobs = Logprobs(runner.vocabulary)
        self._runner = runner
        self._speculator = speculator
        self._vocabulary = runner.vocabulary
        self._emit = emit

    def advance(self, sequence: Sequence, index: int) -> FinishReason | None:
        """Go on with what the logits from a batch index on say; returns why the reply ends, if it does.

        Raises `RequestError` where the reply cannot be what it must be.
        """
        draft, sequence.draft = sequence.draft, []
        if not draft:
            return self._next(sequence, index)
        log = sequence.holding.log
        base, verified = len(log), 0
        try:
            while True:
                reason = self._next(sequence, index + verified)
                written = log.tokens[base:]
                if reason is not None or written != draft[: len(written)]:
                    return reason
                verified = len(written)
        finally:
            self._speculator.settle(sequence, base, draft)

    def foresee(self, sequence: Sequence) -> None:
        """Let what the reply is certain to begin with be evaluated together with the prompt's end."""
        constraint = sequence.active_constraint
        if constraint is None or not sequence.begins_for_certain:
            return
        beginning = constraint.beginning
        if len(beginning) < sequence.max_tokens:
            for token in beginning:
                sequence.holding.log.append_token(token, self._vocabulary.piece(token))
            sequence.foreseen = len(beginning)

    def _next(self, sequence: Sequence, index: int) -> FinishReason | None:
        constraint = sequence.active_constraint
        if constraint is not None and sequence.begins_for_certain:
            # It was evaluated with the prompt, or it fills all the room there is and ends the reply.
            reason = self._write(sequence, constraint.begin(), chosen=0)
            if reason is not None:
                return reason
        untouched = self._runner.logits(index) if sequence.wants_logprobs else None
        token = self._choose(sequence, constraint, index)
        if self._vocabulary.is_end(token):
            sequence.count_token()
            return "stop"
        if constraint is None or token in sequence.thought_tokens:
            tokens = [token]
        else:
            tokens = constraint.take(token, sequence.room)
        sequence.thought_tokens = frozenset()
        if untouched is not None and tokens[0] == token:
            sequence.logprobs.append(self._logprobs.of(untouched, token, top=sequence.request.logprobs or 0))
        return self._write(sequence, tokens, chosen=1)

    def _choose(self, sequence: Sequence, constraint: Constraint | None, index: int) -> int:
        if constraint is None:
            return self._runner.sample(sequence.sampler, index)
        logits = self._runner.logits_in_place(index)
        if sequence.sampler.takes_the_best and constraint.would_leave(best := int(np.argmax(logits))):
            return best
        may_think = {token: logits[token] for token in sequence.thought_tokens}
        constraint.mask(logits)
        for token, logit in may_think.items():
            logits[token] = logit
        token = self._runner.sample(sequence.sampler, index)
        # A sampler that divides by probabilities (typical_p) may lose its way where most are zero.
        if token in may_think or constraint.allows(token):
            return token
        return int(np.argmax(logits))

    def _write(self, sequence: Sequence, tokens: list[int], *, chosen: int) -> FinishReason | None:
        """Add tokens to the reply, and those that must follow; the first `chosen` are the sampler's own."""
        while tokens:
            thinking = sequence.writer.thinking
            for number, token in enumerate(tokens):
                if number >= chosen:
                    sequence.sampler.accept((token,))
                    if sequence.wants_logprobs:
                        sequence.logprobs.append(self._logprobs.certain(token))
                if reason := self._add(sequence, token, is_last=number == len(tokens) - 1):
                    return reason
            if sequence.constraint is not None and sequence.constraint.ended:
                return "stop"
            tokens, chosen = self._following(sequence, was_thinking=thinking), 0
        return None

    def _add(self, sequence: Sequence, token: int, *, is_last: bool) -> FinishReason | None:
        piece = self._vocabulary.piece(token)
        sequence.count_token()
        deltas, stopped = sequence.writer.feed(piece, control=self._vocabulary.is_control(token))
        self._show(sequence, deltas)
        if stopped:
            return "stop"
        if sequence.room <= 0:
            complete = is_last and sequence.constraint is not None and sequence.constraint.complete
            return "stop" if complete else "length"
        if sequence.foreseen:
            sequence.foreseen -= 1
        else:
            sequence.holding.log.append_token(token, piece)
        return None

    def finish(self, sequence: Sequence) -> None:
        """Show what had been held back, at the end of the reply."""
        self._show(sequence, sequence.writer.flush())

    def _show(self, sequence: Sequence, shown: list[Shown]) -> None:
        for event in shown:
            if sequence.logprobs and isinstance(event, GenerationDelta) and not event.reasoning:
                self._emit(sequence, replace(event, logprobs=tuple(sequence.logprobs)))
                sequence.logprobs.clear()
            else:
                self._emit(sequence, event)
        if sequence.writer.hidden:
            sequence.logprobs.clear()

    def _following(self, sequence: Sequence, *, was_thinking: bool) -> list[int]:
        """Tokens that close a thought whose budget is used up, or begin an answer whose form is known."""
        writer, tokenize = sequence.writer, self._vocabulary.tokenize
        if writer.thinking:
            return writer.take_forced(tokenize)
        constraint = sequence.constraint
        if not was_thinking or constraint is None or constraint.begun:
            return []
        return tokenize(writer.thought_tail.encode()) + constraint.begin()
