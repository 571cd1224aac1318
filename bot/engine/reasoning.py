"""Tells a thinking model's thoughts from its answer while the reply streams."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum, auto


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasoningTags:
    """How one family of models marks its thoughts."""

    open_tag: str
    close_tag: str
    close_text: str
    """What ends a thought from outside: fed to the model as if it had written it, so that it goes on to the answer."""
    answer_tag: str = ""
    """Opens an answer that comes without a thought."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a reply."""

    text: str
    reasoning: bool


def _pair(open_tag: str, close_tag: str) -> ReasoningTags:
    return ReasoningTags(open_tag=open_tag, close_tag=close_tag, close_text=f"\n{close_tag}\n\n")


REASONING_TAGS = (
    _pair("<think>", "</think>"),  # DeepSeek-R1, Qwen3, GLM, SmolLM3, Nemotron, Granite 3.3, Hunyuan
    _pair("<thinking>", "</thinking>"),
    _pair("<thought>", "</thought>"),  # EXAONE Deep
    _pair("<reasoning>", "</reasoning>"),
    _pair("<seed:think>", "</seed:think>"),  # Seed-OSS
    _pair("◁think▷", "◁/think▷"),  # Kimi-VL
    ReasoningTags(open_tag="[THINK]", close_tag="[/THINK]", close_text="[/THINK]"),  # Magistral
    ReasoningTags(  # Command A Reasoning
        open_tag="<|START_THINKING|>",
        close_tag="<|END_THINKING|>",
        close_text="<|END_THINKING|><|START_RESPONSE|>",
        answer_tag="<|START_RESPONSE|>",
    ),
    ReasoningTags(open_tag="<|channel>thought", close_tag="<channel|>", close_text="\n<channel|>"),  # Gemma 4
    ReasoningTags(  # gpt-oss (https://cookbook.openai.com/articles/openai-harmony)
        open_tag="<|channel|>analysis<|message|>",
        close_tag="<|end|><|start|>assistant<|channel|>final<|message|>",
        close_text="<|end|><|start|>assistant<|channel|>final<|message|>",
        answer_tag="<|channel|>final<|message|>",
    ),
)
"""The known families. A tag counts only where a thought can begin or end, so that all can be looked for at once."""

_OPEN_TAGS = tuple(tags.open_tag for tags in REASONING_TAGS)
_CLOSE_TAGS = tuple(tags.close_tag for tags in REASONING_TAGS)
_DROPPED_BEFORE_ANSWER = (*_CLOSE_TAGS, *(tags.answer_tag for tags in REASONING_TAGS if tags.answer_tag))
_BLANKS = " \t\r"


def open_thought(prompt: str) -> ReasoningTags | None:
    """The tags of the thought that a rendered prompt leaves open at its end; None where it opens none."""
    end = prompt[-256:].rstrip()  # only white space may follow the tag
    return next((tags for tags in REASONING_TAGS if end.endswith(tags.open_tag)), None)


def control_texts_in_tags(control_texts: Collection[str]) -> frozenset[str]:
    """Those texts of control tokens that tags are made of: they must reach the splitter, though no reader."""
    every_tag = "\n".join((*_OPEN_TAGS, *_DROPPED_BEFORE_ANSWER))
    return frozenset(text for text in control_texts if text and text in every_tag)


class _State(Enum):
    OPENING = auto()
    """Nothing but white space so far: a thought may begin."""
    THOUGHT_OPENING = auto()
    """In a thought, nothing but white space so far."""
    THOUGHT = auto()
    ANSWER = auto()


class ReasoningSplitter:
    """Splits a reply into thoughts and answer; the same for any division of the reply into pieces.

    A thought begins only at the start of the reply or right after another one, so an answer may speak of tags. White
    space around tags is dropped. A closing tag that no opening one precedes is dropped where it begins the reply or
    stands alone on its line; the text before it was shown already and stays answer.
    """

    def __init__(self, started: ReasoningTags | None = None) -> None:
        """`started` is the thought that the prompt left open (`open_thought`)."""
        self._tags = started or REASONING_TAGS[0]  # means something only inside a thought
        self._state = _State.OPENING if started is None else _State.THOUGHT_OPENING
        self._held = ""
        self._at = 0  # _held[:_at] is dealt with
        self._keep_space = started is None
        self._at_line_start = True
        self._opened_in_answer = False
        self._pieces: list[Piece] = []

    @classmethod
    def off(cls) -> "ReasoningSplitter":
        """One for which everything is answer, tags included."""
        splitter = cls()
        splitter._state, splitter._opened_in_answer = _State.ANSWER, True
        return splitter

    @property
    def thinking(self) -> bool:
        """The reply is inside a thought."""
        return self._state in {_State.THOUGHT_OPENING, _State.THOUGHT}

    @property
    def close_text(self) -> str:
        """What to make the model write, and to `feed`, to end the thought; empty outside of one."""
        return self._tags.close_text if self.thinking else ""

    @property
    def tail_text(self) -> str:
        """What follows the closing tag in front of an answer."""
        return self._tags.close_text.partition(self._tags.close_tag)[2]

    def feed(self, text: str) -> list[Piece]:
        """Take the next part of the reply; return what is certain by now."""
        self._held += text
        return self._run(final=False)

    def flush(self) -> list[Piece]:
        """Return what was held back, at the end of the reply."""
        return self._run(final=True)

    def _run(self, *, final: bool) -> list[Piece]:
        steps = {
            _State.OPENING: self._opening,
            _State.THOUGHT_OPENING: self._thought_opening,
            _State.THOUGHT: self._thought,
            _State.ANSWER: self._answer,
        }
        while steps[self._state](final=final):
            pass
        self._held = self._held[self._at :]
        self._at = 0
        pieces, self._pieces = self._pieces, []
        return _joined(pieces)

    def _opening(self, *, final: bool) -> bool:
        """Decide how the reply, or what follows a thought, begins. All steps return True where more may be done."""
        start = self._after(None)
        for tags in REASONING_TAGS:
            if self._held.startswith(tags.open_tag, start):
                self._tags = tags
                self._at = start + len(tags.open_tag)
                self._state = _State.THOUGHT_OPENING
                return True
        if dropped := self._tag_at(start, _DROPPED_BEFORE_ANSWER):
            self._at = start + len(dropped)
            self._keep_space = False
            return True
        if not final and self._may_become(start, (*_OPEN_TAGS, *_DROPPED_BEFORE_ANSWER)):
            return False
        if not self._keep_space:
            self._at = start
        self._state = _State.ANSWER
        return True

    def _thought_opening(self, *, final: bool) -> bool:
        """Drop the white space, and an opening tag repeated after the prompt's own."""
        start = self._after(None)
        if self._held.startswith(self._tags.open_tag, start):
            self._at = start + len(self._tags.open_tag)
            return True
        if not final and self._may_become(start, (self._tags.open_tag,)):
            return False
        self._at = start
        self._state = _State.THOUGHT
        return True

    def _thought(self, *, final: bool) -> bool:
        close_tag = self._tags.close_tag
        end = self._held.find(close_tag, self._at)
        if end >= 0:
            self._emit(end, reasoning=True)
            self._at = end + len(close_tag)
            self._keep_space = False
            self._state = _State.OPENING
            return True
        kept = 0 if final else self._partial_tag_at_end(close_tag)
        self._emit(len(self._held) - kept, reasoning=True)
        return False

    def _answer(self, *, final: bool) -> bool:
        """Pass on to the end of the line; at the start of one, drop a closing tag that stands alone."""
        if self._at_line_start:
            return self._answer_line_start(final=final)
        end = self._held.find("\n", self._at) + 1
        self._at_line_start = end > 0
        self._emit(end or len(self._held), reasoning=False)
        return self._at_line_start

    def _answer_line_start(self, *, final: bool) -> bool:
        start = self._after(_BLANKS)
        if not final and self._may_become(start, (*_OPEN_TAGS, *_CLOSE_TAGS)):
            return False
        if self._tag_at(start, _OPEN_TAGS):
            self._opened_in_answer = True  # an example in the answer: its closing tag belongs to it
        elif (tag := self._tag_at(start, _CLOSE_TAGS)) and not self._opened_in_answer:
            end = self._after(_BLANKS, start + len(tag))
            if end == len(self._held) and not final:
                return False
            if end == len(self._held) or self._held[end] == "\n":
                self._at = min(end + 1, len(self._held))
                return self._at < len(self._held)
        self._at_line_start = False
        return self._at < len(self._held)

    def _after(self, blanks: str | None, start: int | None = None) -> int:
        """Index of the first character from `start` on that is not one of `blanks` (None: any white space)."""
        start = self._at if start is None else start
        length = len(self._held)
        while start < length and (self._held[start].isspace() if blanks is None else self._held[start] in blanks):
            start += 1
        return start

    def _tag_at(self, start: int, tags: tuple[str, ...]) -> str:
        return next((tag for tag in tags if self._held.startswith(tag, start)), "")

    def _may_become(self, start: int, tags: tuple[str, ...]) -> bool:
        """The text from `start` on is a part of a tag, or nothing yet."""
        rest = self._held[start : start + 64]
        return any(len(rest) < len(tag) and tag.startswith(rest) for tag in tags)

    def _partial_tag_at_end(self, tag: str) -> int:
        """How many characters at the end may be the start of `tag`."""
        most = min(len(tag) - 1, len(self._held) - self._at)
        return next((size for size in range(most, 0, -1) if self._held.endswith(tag[:size])), 0)

    def _emit(self, end: int, *, reasoning: bool) -> None:
        """Pass the text up to `end` on."""
        if end > self._at:
            self._pieces.append(Piece(self._held[self._at : end], reasoning))
        self._at = end


def _joined(pieces: list[Piece]) -> list[Piece]:
    """Neighbours of the same kind as one."""
    texts: list[tuple[bool, list[str]]] = []
    for piece in pieces:
        if texts and texts[-1][0] == piece.reasoning:
            texts[-1][1].append(piece.text)
        else:
            texts.append((piece.reasoning, [piece.text]))
    return [Piece("".join(parts), reasoning) for reasoning, parts in texts]
