"""The loop that turns requests into tokens: schedule, run, update. Runs on the inference lock's thread."""

import time
from collections.abc import Callable

from bot.engine.batch import BatchPart
from bot.engine.decoder import Decoder
from bot.engine.kv_store import KvStore
from bot.engine.prefix_cache import PrefixCache
from bot.engine.runner import NoCellsError, Runner
from bot.engine.sampler import Sampler, lookback
from bot.engine.scheduler import ScheduledPart, Scheduler
from bot.engine.sequence import Sequence
from bot.engine.slots import Slots
from bot.engine.speculator import Speculator
from bot.engine.stored_state import StateOwner
from bot.errors import EngineLostError, QueueFullError, RequestError
from bot.messages import FinishReason
from bot.request import GenerationDone, GenerationEvent, GenerationFailed, GenerationWaiting

Deliver = Callable[[list[tuple[Sequence, GenerationEvent]]], None]


class Core:
    """One `step` is schedule, run, update."""

    def __init__(
        self, *, runner: Runner, scheduler: Scheduler, deliver: Deliver, store: KvStore | None, share_prefix: bool
    ) -> None:
        """`deliver` takes each step's events, in order; it is called on the inference thread and must not block."""
        self._runner = runner
        self._scheduler = scheduler
        self._slots = Slots(runner.params.max_parallel)
        self._cache = PrefixCache(runner=runner, slots=self._slots, store=store, share=share_prefix)
        self._speculator = Speculator(runner)
        self._decoder = Decoder(runner, self._speculator, self._emit)
        self._deliver = deliver
        self._events: list[tuple[Sequence, GenerationEvent]] = []
        self._line_changed = False

    @property
    def slots(self) -> Slots:
        """The sequences, for tests and figures."""
        return self._slots

    def add(self, sequence: Sequence) -> None:
        """Put a request in the line, or refuse it."""
        try:
            self._scheduler.line.add(sequence)
        except QueueFullError as error:
            self._emit(sequence, GenerationFailed(error=error, text=""))
        self._line_changed = True

    def cancel(self, sequence: Sequence) -> None:
        """End a request wherever it is; nothing happens if it has ended."""
        if self._scheduler.line.remove(sequence):
            self._line_changed = True
            self._emit_done(sequence, "cancelled")
        elif sequence in self._scheduler.running:
            self._finish(sequence, "cancelled")

    def step(self) -> bool:
        """Do one batch. True while there is more to do."""
        self._admit()
        parts = self._schedule()
        if parts:
            started = time.perf_counter()
            outputs = self._run(parts)
            self._measure(parts, time.perf_counter() - started)
            self._update(parts, outputs)
        self._announce()
        self._flush()
        return self._scheduler.has_work

    def keep_idle(self) -> None:
        """Save the idle conversations' KV states, so that they survive whatever comes."""
        self._cache.keep_idle()

    def forget(self, users: set[str]) -> None:
        """Drop the KV states of these users' conversations."""
        self._cache.forget(users)

    def fail_all(self, error: EngineLostError) -> None:
        """Tell every request that the engine is lost."""
        for sequence in [*self._scheduler.running, *self._scheduler.line.requests()]:
            self._emit(sequence, GenerationFailed(error=error, text=sequence.writer.text))
        self._flush()

    def check_integrity(self) -> None:
        """Raise `AssertionError` when books and context disagree, or an idle engine holds something back."""
        self._slots.check_integrity(self._runner.length)
        busy = [slot for slot in self._slots.all if slot.busy]
        if len(busy) != len(self._scheduler.running):
            raise AssertionError(f"{len(busy)} busy sequences for {len(self._scheduler.running)} running requests")

    # schedule

    def _admit(self) -> None:
        while len(self._scheduler.line) and self._slots.can_assign():
            sequence = self._scheduler.admit()
            self._line_changed = True
            sequence.admitted(self._slots.assign(sequence.request.conversation))

    def _schedule(self) -> list[ScheduledPart]:
        parts = self._scheduler.decoding(self._runner.n_batch)
        taken = sum(part.count for part in parts)
        budget = self._scheduler.chunks.size(decoding=taken)
        for sequence in self._scheduler.prefilling():
            if budget == 0:
                break
            if not sequence.prepared and not self._prepare(sequence):
                continue
            count = min(budget, sequence.holding.readable)
            parts.append(ScheduledPart(sequence, count))
            budget -= count
            if count < sequence.pending:
                break  # the next prompt may begin with what this one has still to read
        return parts

    def _prepare(self, sequence: Sequence) -> bool:
        """Lay the prompt out in the sequence's log and keep what the cache holds of it already; False if it failed.

        Done when the first chunk is due, not on admission: by then the prompt of an earlier request with the same
        persona is evaluated and can be copied.
        """
        slot = sequence.holding
        request = sequence.request
        owner = StateOwner(conversation=request.conversation, user=request.user)
        cached = self._cache.lay_out(slot, owner, sequence.text, may_shift=request.may_shift)
        n_ctx = self._runner.n_ctx
        try:
            sampler = Sampler(sequence.sampling, self._runner.vocabulary, n_ctx=n_ctx)
            sequence.prepare(cached_tokens=cached, n_ctx=n_ctx, sampler=sampler)
        except RequestError as error:
            self._fail(sequence, error)
            return False
        seen = lookback(sequence.sampling, n_ctx)
        sampler.accept(slot.log.tokens[-seen:] if seen else ())
        self._decoder.foresee(sequence)
        return True

    # run

    def _run(self, parts: list[ScheduledPart]) -> dict[int, int]:
        self._speculator.draft(parts)
        batch = []
        for part in parts:
            slot, draft = part.sequence.holding, part.sequence.draft
            end = slot.evaluated + part.count
            batch.append(
                BatchPart(
                    seq_id=slot.seq_id,
                    position=slot.evaluated,
                    tokens=slot.log.tokens[slot.evaluated : end] + draft,
                    wants_logits=end == len(slot.log),
                    drafted=len(draft),
                )
            )
        try:
            outputs = self._runner.decode(batch)
        except NoCellsError:
            return self._give_up(parts)
        for part in parts:
            slot = part.sequence.holding
            slot.evaluated += part.count
            if slot.evaluated == slot.checkpoint:
                self._cache.keep_checkpoint(slot)
        return outputs

    def _give_up(self, parts: list[ScheduledPart]) -> dict[int, int]:
        """Admission keeps every request within its sequence, so a full one means wrong books: start them afresh."""
        error = RequestError("Something went wrong while I was reading this. Please try again.", "no KV cells left")
        for part in parts:
            slot = part.sequence.holding
            self._emit(part.sequence, GenerationFailed(error=error, text=part.sequence.writer.text))
            self._release(part.sequence)
            self._runner.truncate(slot.seq_id, 0)
            slot.clear()
        return {}

    def _measure(self, parts: list[ScheduledPart], seconds: float) -> None:
        prefill = sum(part.count for part in parts if not part.sequence.decoding)
        decoding = sum(part.count for part in parts if part.sequence.decoding)
        self._scheduler.chunks.measured(prefill=prefill, decoding=decoding, seconds=seconds)
        self._speculator.measured(parts, seconds)

    # update

    def _update(self, parts: list[ScheduledPart], outputs: dict[int, int]) -> None:
        for part in parts:
            sequence = part.sequence
            index = outputs.get(sequence.slot.seq_id) if sequence.slot else None
            if index is None:
                continue
            if sequence.max_tokens == 0:
                self._finish(sequence, "length")
                continue
            try:
                reason = self._decoder.advance(sequence, index)
            except RequestError as error:
                self._fail(sequence, error)
            else:
                if reason is not None:
                    self._finish(sequence, reason)

    def _finish(self, sequence: Sequence, reason: FinishReason) -> None:
        self._release(sequence)
        self._line_changed = True
        self._decoder.finish(sequence)
        if reason == "stop" and sequence.writer.calls:
            reason = "tool_calls"
        self._emit_done(sequence, reason)

    def _fail(self, sequence: Sequence, error: RequestError) -> None:
        self._release(sequence)
        self._line_changed = True
        self._emit(sequence, GenerationFailed(error=error, text=sequence.writer.text))

    def _release(self, sequence: Sequence) -> None:
        """Give the sequence back with exactly what it has evaluated."""
        slot = sequence.holding
        kept = slot.log.truncate(slot.evaluated)
        if kept != slot.evaluated:
            slot.evaluated = kept if self._runner.truncate(slot.seq_id, kept) else 0
            slot.log.truncate(slot.evaluated)
        sequence.released()
        self._slots.release(slot)
        self._scheduler.running.remove(sequence)

    # events

    def _announce(self) -> None:
        if self._line_changed:
            self._line_changed = False
            for sequence, position, wait_s in self._scheduler.announce(free=sum(not s.busy for s in self._slots.all)):
                self._emit(sequence, GenerationWaiting(position=position, wait_s=wait_s))

    def _emit_done(self, sequence: Sequence, reason: FinishReason) -> None:
        writer = sequence.writer
        facts = sequence.facts(reason)
        if facts.usage.completion_tokens:
            self._scheduler.waits.finished(
                completion_tokens=facts.usage.completion_tokens, decode_s=facts.timings.decode_ms / 1000
            )
        self._emit(
            sequence,
            GenerationDone(text=writer.text, reasoning=writer.reasoning, facts=facts, tool_calls=tuple(writer.calls)),
        )

    def _emit(self, sequence: Sequence, event: GenerationEvent) -> None:
        self._events.append((sequence, event))

    def _flush(self) -> None:
        if self._events:
            events, self._events = self._events, []
            self._deliver(events)
