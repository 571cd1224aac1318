"""From token bytes to the pieces of a reply: UTF-8, thoughts, stop strings."""

from collections.abc import Callable, Collection

from bot.engine.detokenizer import Detokenizer
from bot.engine.reasoning import ReasoningSplitter
from bot.engine.stop_strings import StopStrings
from bot.engine.tool_parser import Parsed, ToolParser
from bot.request import GenerationDelta, GenerationToolCall, ToolCall

Shown = GenerationDelta | GenerationToolCall


class ReplyWriter:
    """Writes one reply. Stop strings count in the answer only, not in thoughts."""

    def __init__(
        self,
        *,
        splitter: ReasoningSplitter,
        stops: StopStrings,
        visible_controls: Collection[bytes],
        reasoning_budget: int,
        show_reasoning: bool,
        tools: ToolParser | None = None,
    ) -> None:
        """`visible_controls` are control tokens that mark thoughts, `reasoning_budget` a number of tokens."""
        self.text = ""
        self.reasoning = ""
        self.calls: list[ToolCall] = []
        self._detokenizer = Detokenizer()
        self._splitter = splitter
        self._stops = stops
        self._visible_controls = visible_controls
        self._budget = reasoning_budget
        self._show_reasoning = show_reasoning
        self._tools = tools
        self._stopped = False
        self._closing_forced = False

    @property
    def thinking(self) -> bool:
        """The model is inside a thought."""
        return self._splitter.thinking

    @property
    def hidden(self) -> bool:
        """What is written now is in no text: a thought or a call."""
        return self.thinking or (self._tools is not None and self._tools.inside)

    @property
    def thought_tail(self) -> str:
        """What stands between the end of the last thought and the answer, where the model has not written it."""
        return "" if self._closing_forced else self._splitter.tail_text

    def feed(self, piece: bytes, *, control: bool) -> tuple[list[Shown], bool]:
        """Add a token's bytes; returns what can be shown now, and whether a stop string ended the reply."""
        if self._splitter.thinking:
            self._budget -= 1
        if control and piece not in self._visible_controls:
            return [], False
        return self._split(self._detokenizer.feed(piece)), self._stopped

    def flush(self) -> list[Shown]:
        """End the reply; returns what had been held back."""
        if self._stopped:
            return []
        deltas = self._split(self._detokenizer.flush())
        for piece in self._splitter.flush():
            deltas += self._deltas(piece.text, reasoning=piece.reasoning)
        if self._tools is not None:
            deltas += self._parsed(self._tools.flush())
        if not self._stopped:
            deltas += self._answer(self._stops.flush())
        return deltas

    def take_forced(self, tokenize: Callable[[bytes], list[int]]) -> list[int]:
        """Tokens that close a thought whose budget is used up, to be fed as if the model had written them."""
        if self._budget > 0 or not self._splitter.thinking:
            return []
        self._closing_forced = True
        return tokenize(self._splitter.close_text.encode())

    def _split(self, text: str) -> list[Shown]:
        deltas: list[Shown] = []
        for piece in self._splitter.feed(text) if text else ():
            deltas += self._deltas(piece.text, reasoning=piece.reasoning)
        return deltas

    def _deltas(self, text: str, *, reasoning: bool) -> list[Shown]:
        if reasoning:
            self.reasoning += text
            return [GenerationDelta(text=text, reasoning=True)] if self._show_reasoning and text else []
        if self._stopped:
            return []
        return self._content(text) if self._tools is None else self._parsed(self._tools.feed(text))

    def _parsed(self, parsed: Parsed) -> list[Shown]:
        shown = self._content(parsed.content) if parsed.content else []
        for call in parsed.calls:
            shown.append(GenerationToolCall(index=len(self.calls), call=call))
            self.calls.append(call)
        return shown

    def _content(self, text: str) -> list[Shown]:
        safe, self._stopped = self._stops.feed(text)
        return self._answer(safe)

    def _answer(self, text: str) -> list[Shown]:
        self.text += text
        return [GenerationDelta(text=text)] if text else []
