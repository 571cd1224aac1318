"""Who runs next. Pure: knows no model and no clock."""

from collections import Counter
from dataclasses import dataclass

from bot.engine.chunk_sizer import ChunkSizer
from bot.engine.sequence import Sequence
from bot.engine.wait_estimate import WaitEstimate
from bot.engine.waiting_line import WaitingLine


@dataclass(frozen=True, slots=True)
class ScheduledPart:
    """The next `count` pending tokens of a sequence."""

    sequence: Sequence
    count: int


class Scheduler:
    """Continuous batching with chunked prefill.

    One batch holds the next token of every running reply and a bounded piece of a prompt, so that a long prompt does
    not freeze anybody's reply.
    """

    def __init__(self, line: WaitingLine[Sequence], chunks: ChunkSizer) -> None:
        self.line = line
        self.chunks = chunks
        self.waits = WaitEstimate()
        self.running: list[Sequence] = []
        """In the order of admission."""

    @property
    def has_work(self) -> bool:
        """Whether anybody runs or waits."""
        return bool(self.running) or len(self.line) > 0

    def served(self) -> Counter[str]:
        """Running requests of each user."""
        return Counter(sequence.user for sequence in self.running)

    def admit(self) -> Sequence:
        """Move the next waiting request to the running ones."""
        sequence = self.line.take(self.served())
        self.running.append(sequence)
        return sequence

    def decoding(self, most: int) -> list[ScheduledPart]:
        """The next tokens of every reply being written, at most `most`."""
        writing = [sequence for sequence in self.running if sequence.decoding]
        share = max(1, most // max(1, len(writing)))
        return [ScheduledPart(sequence, min(share, sequence.pending)) for sequence in writing]

    def prefilling(self) -> list[Sequence]:
        """Sequences whose prompts are to be evaluated, first come first."""
        return [sequence for sequence in self.running if not sequence.decoding]

    def announce(self, *, free: int) -> list[tuple[Sequence, int, float | None]]:
        """Waiting sequences, each with its position in the line (1 is next) and the seconds it will wait."""
        order = self.line.order(self.served())
        waits = self.waits.waits(
            [(each.unread, each.completion_tokens, each.max_tokens or each.most_tokens) for each in self.running],
            [(each.prompt_tokens, each.most_tokens) for each in order],
            free=free,
            prefill_tokens_per_s=self.chunks.prefill_tokens_per_s,
        )
        return [
            (sequence, position, wait) for position, (sequence, wait) in enumerate(zip(order, waits, strict=True), 1)
        ]
