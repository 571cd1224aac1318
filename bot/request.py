"""What the engine is asked, and what it answers with. All are immutable."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from bot.errors import EngineLostError, RequestError
from bot.messages import FinishReason, ReplyFacts
from bot.settings import ReasoningMode

Role = Literal["system", "user", "assistant", "tool"]
ToolChoice = Literal["none", "auto", "required"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall:
    """A function that the model wants called."""

    id: str
    name: str
    arguments: str
    """JSON text of an object."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolSpec:
    """A function that the model may call."""

    name: str
    description: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    """JSON Schema of the arguments, an object."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatMessage:
    """One message of a prompt."""

    role: Role
    content: str
    tool_calls: tuple[ToolCall, ...] = ()
    """What an assistant's message called."""
    tool_call_id: str = ""
    """Of a tool's message: which call it answers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonConstraint:
    """The answer is JSON that is valid by `schema`, by construction; the reply ends where the value does."""

    schema: Mapping[str, Any]
    """JSON Schema. `{}` is any value, `{"type": "object"}` any object."""
    always_complete: bool = False
    """The value is closed in time when the room for the reply ends, instead of being cut by it."""
    copied_from: str = ""
    """Where the values are from, with `always_complete`: a string that repeats itself as this text does nowhere is
    ended. Without it strings may say what they like."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplingParams:
    """How tokens are chosen. The defaults choose freely from the model's own distribution."""

    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0
    min_p: float = 0.0
    typical_p: float = 1.0
    repeat_penalty: float = 1.0
    presence_penalty: float = 0.0
    frequency_penalty: float = 0.0
    penalty_last_n: int = 64
    dry_multiplier: float = 0.0
    dry_base: float = 1.75
    dry_allowed_length: int = 2
    dry_penalty_last_n: int = -1
    dry_sequence_breakers: tuple[str, ...] = ("\n", ":", '"', "*")
    seed: int | None = None
    """None draws a new one for each request."""
    logit_bias: Mapping[int, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationRequest:
    """One reply to be written."""

    messages: tuple[ChatMessage, ...]
    """The whole prompt, oldest first. Append-only from turn to turn, so that its start stays in the KV cache."""
    prompt: str | None = None
    """Raw text to be written on, in place of `messages` and the chat template."""
    user: str
    """Whose turn it is, for fairness: the line is served round-robin between users."""
    conversation: str | None = None
    """Name under which the evaluated prompt is kept; None for a request that stands alone."""
    sampling: SamplingParams = field(default_factory=SamplingParams)
    max_tokens: int | None = None
    """None is as many as fit the window; 0 only evaluates the prompt."""
    stop: tuple[str, ...] = ()
    reasoning: ReasoningMode = "hide"
    reasoning_budget: int | None = None
    """Most tokens of thought; None is half of `max_tokens`."""
    may_shift: bool = False
    """Turns that were dropped from the middle may be cut out of the cache, what follows them evaluated no more."""
    beginning_only: bool = False
    """Evaluate what every prompt begins with in which the user's next message follows these, whatever it is, and write
    nothing."""
    continue_final: bool = False
    """The last message is the assistant's own and is written on."""
    constraint: JsonConstraint | None = None
    """What the answer must be. Not together with `tools`."""
    tools: tuple[ToolSpec, ...] = ()
    tool_choice: ToolChoice = "auto"
    forced_tool: str | None = None
    """The only tool that may be called, with `tool_choice` "required"."""
    forced_arguments: JsonConstraint | None = None
    """What the arguments of the forced tool must be, in place of the `parameters` that the model is told of it."""
    parallel_tool_calls: bool = True
    """More than one call may be made in one reply."""
    copied_from: str = ""
    """A text that the answer mostly copies. Its tokens are proposed and verified in one batch; the answer is the same
    as without."""
    logprobs: int | None = None
    """Report each token's log probability, and those of so many likeliest ones, up to 20."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationWaiting:
    """The request stands in the line."""

    position: int
    """1 is next."""
    wait_s: float | None = None
    """Estimated seconds until it is served; None where nothing was measured yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationLoading:
    """The model is being loaded again, which takes a while."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenLogprob:
    """A token, the natural logarithm of its probability before any sampler, and the likeliest ones in its place."""

    token: bytes
    logprob: float
    top: tuple["TokenLogprob", ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationDelta:
    """A piece of the reply; `reasoning` where it is thought, not answer."""

    text: str
    reasoning: bool = False
    logprobs: tuple[TokenLogprob, ...] = ()
    """Of the tokens that were chosen since the last delta, where the request asked for them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationToolCall:
    """A call that is complete; its text is in no delta."""

    index: int
    call: ToolCall


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationDone:
    """The end of a reply: stopped by the model, by its length or by a cancel. The text so far is all there."""

    text: str
    """The answer, without thoughts and tool calls."""
    reasoning: str
    facts: ReplyFacts
    tool_calls: tuple[ToolCall, ...] = ()

    @property
    def finish_reason(self) -> FinishReason:
        """Why it ended."""
        return self.facts.finish_reason


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationFailed:
    """The request could not be finished."""

    error: RequestError | EngineLostError
    text: str
    """The answer so far."""


GenerationEvent = (
    GenerationLoading | GenerationWaiting | GenerationDelta | GenerationToolCall | GenerationDone | GenerationFailed
)
"""Any number of the first four, then exactly one of the last two."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineStatus:
    """What the engine is doing, for people who ask."""

    model: str
    """The model's name; empty while none is loaded."""
    loaded: bool = True
    """Whether the model is in memory."""
    running: int
    """Replies being written now."""
    waiting: int
    """Requests in the line."""
    max_parallel: int
    """Replies that can be written at the same time."""
    n_ctx: int
    """Window of one conversation, in tokens."""
    knows_tools: bool = False
    """The model's template writes functions and calls; of a model that is not loaded, as it was when it was."""
