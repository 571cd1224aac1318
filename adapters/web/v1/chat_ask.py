"""A chat to be continued, whichever part of the API asked for it."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from adapters.web.principal import Principal
from adapters.web.v1.tool_fields import Effort
from adapters.web.web_context import WebContext
from bot.request import ChatMessage, GenerationRequest, JsonConstraint, SamplingParams, ToolChoice, ToolSpec
from bot.settings import ReasoningMode

THOUGHT_SHARE = {"minimal": 1 / 8, "low": 1 / 4, "medium": 1 / 2, "high": 3 / 4, "xhigh": 7 / 8}
"""Of the longest answer, by `reasoning_effort`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatAsk:
    """What is asked, but for the sampling."""

    messages: tuple[ChatMessage, ...]
    longest: int
    """Tokens of the answer, thoughts included."""
    stop: tuple[str, ...]
    constraint: JsonConstraint | None
    tools: Sequence[ToolSpec]
    tool_choice: ToolChoice
    forced_tool: str | None
    parallel_tool_calls: bool
    effort: Effort | None
    cache_key: str | None
    """Requests with the same one are one conversation."""
    logprobs: int | None = None

    def requests(
        self, context: WebContext, principal: Principal, samplings: Sequence[SamplingParams]
    ) -> list[GenerationRequest]:
        """For the engine, one for each way of sampling."""
        user = context.user(principal)
        reasoning, budget = self._thoughts(context)
        return [
            GenerationRequest(
                messages=self.messages,
                user=user,
                conversation=self._conversation(user) if len(samplings) == 1 else None,
                sampling=sampling,
                max_tokens=self.longest,
                stop=self.stop,
                reasoning=reasoning,
                reasoning_budget=budget,
                constraint=self.constraint,
                tools=() if self.tool_choice == "none" else tuple(self.tools),
                tool_choice="required" if self.forced_tool or self.tool_choice == "required" else "auto",
                forced_tool=self.forced_tool,
                parallel_tool_calls=self.parallel_tool_calls,
                logprobs=self.logprobs,
            )
            for sampling in samplings
        ]

    def _thoughts(self, context: WebContext) -> tuple[ReasoningMode, int | None]:
        """Thoughts are sent apart, so the client need not be spared them; only who wants none gets none."""
        settings = context.core.generation
        if self.effort is None:
            budget = settings.reasoning_budget
            fits = budget if budget is not None and budget < self.longest else None
            return ("off" if settings.reasoning == "off" else "show"), fits
        if self.effort == "none":
            return "off", None
        return "show", max(1, int(self.longest * THOUGHT_SHARE[self.effort]))

    def _conversation(self, user: str) -> str | None:
        """Under which name the evaluated prompt is kept; several choices cannot be one conversation.

        A chat that goes on is known by its beginning. Requests that stand alone have none: they would push the
        conversations of others out of the store.
        """
        if self.cache_key:
            return f"api {user} {self.cache_key}"
        if not any(each.role == "assistant" for each in self.messages):
            return None
        first = next((index for index, each in enumerate(self.messages) if each.role == "user"), 0)
        beginning = repr(self.messages[: first + 1])
        return f"api {user} {sha256(beginning.encode()).hexdigest()[:32]}"
