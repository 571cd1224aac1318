"""Reads records out of texts. Everything that extracts does it with this."""

import asyncio
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bot.adapter import ModelAccess
from bot.errors import ExtractionError, InvalidRequestError, PromptTooLongError
from bot.extraction.all_of import merged
from bot.extraction.bounds import Bounds
from bot.extraction.budget import budget
from bot.extraction.chunks import chunks
from bot.extraction.extraction import Cost, Extraction
from bot.extraction.grounding import Grounding, Source
from bot.extraction.guesses import Guesses
from bot.extraction.merge import distinct, merge
from bot.extraction.prompt import Prompt
from bot.extraction.record_limit import record_limit, required_values
from bot.extraction.tool_prompt import ToolPrompt
from bot.extraction.validation import Validation
from bot.request import ChatMessage, GenerationDone, GenerationRequest, SamplingParams
from bot.schemas.schema import Schema
from bot.settings.extraction import ExtractionSettings

Progress = Callable[[int, int], None]
"""Is told how many parts of a text are read, and of how many; of several parts also before the first."""
_TRIES = 2
_LONGEST_TEXT = 2_000_000
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_SURROGATES = re.compile(r"[\ud800-\udfff]")
_ADDRESS_BEGINNING = len("https://")
"""Characters that an address may have more than in the text."""
_SAMPLE = 200_000
"""Characters that are counted to know how many tokens a text has."""
_SHORTEST = 5
"""Two to the power of this: characters that a value may have however short the text is."""
_ROOM = 24
"""Tokens that a prompt may be longer than its parts: what the template writes between them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    value: Any
    facts: tuple[GenerationDone, ...]


class Extractor:
    """Puts texts to a model that is held to a schema, checks what it says, and looks its values up in the text."""

    def __init__(self, model: ModelAccess, settings: ExtractionSettings) -> None:
        self._model = model
        self._settings = settings
        self._bounds = Bounds(max_string=settings.max_string, max_items=settings.max_items)

    async def extract(
        self, schema: Schema, text: str, *, user: str = "", progress: Progress | None = None
    ) -> Extraction:
        """Read what `schema` wants out of `text`. A cancel ends what is being written.

        `user` is whose turn it is in the line. Raises `InvalidRequestError` for a text that is empty or too long,
        `ExtractionError` where two tries give nothing valid or, with `unknown: error`, where a value is not in the
        text; and what the engine raises.
        """
        text = clean(text)
        if not text:
            raise InvalidRequestError("There is no text to read.")
        if len(text) > _LONGEST_TEXT:
            raise InvalidRequestError(f"The text is too long: {len(text):,} characters, at most {_LONGEST_TEXT:,}.")
        job = _Job(self._model, schema, self._bounds, user, nulls=self._settings.unknown is None)
        parts = await job.cut(text, self._settings.chunk_tokens)
        answers = await self._read(job, parts, progress)
        source = Source(text)
        value = answers[0].value
        if len(answers) > 1:
            value = merge([answer.value for answer in answers], lambda each: _is_in(source, each))
        elif schema.many:
            value = distinct(value)
        value, groundings = self._checked(job, value, source)
        return Extraction(
            schema=schema,
            text=text,
            value=value,
            groundings=groundings,
            model=self._model.status().model,
            cost=_cost(len(parts), [done for answer in answers for done in answer.facts]),
        )

    async def _read(self, job: "_Job", parts: Sequence[str], progress: Progress | None) -> list[_Answer]:
        """All parts, as many at the same time as the engine answers."""
        places = asyncio.Semaphore(max(1, self._model.status().max_parallel))
        read = 0

        async def one(part: str) -> _Answer:
            nonlocal read
            async with places:
                answer = await job.read(part)
            read += 1
            if progress is not None:
                progress(read, len(parts))
            return answer

        if len(parts) == 1:
            return [await one(parts[0])]
        if progress is not None:
            progress(0, len(parts))
        # The first alone: it evaluates the instructions, which the others then find evaluated.
        first = await one(parts[0])
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(one(part)) for part in parts[1:]]
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from None
        return [first, *(task.result() for task in tasks)]

    def _checked(self, job: "_Job", value: Any, source: Source) -> tuple[Any, tuple[Grounding, ...]]:
        """The value with what is optional and not in the text taken out, and where the rest stands."""
        groundings = source.ground(value, job.schema.answer)
        unknown = [each for each in groundings if each.status == "missing" and each.optional]
        if unknown and self._settings.unknown == "error":
            names = ", ".join(f"{each.name} ({each.value})" for each in unknown)
            raise ExtractionError(f"The text does not say: {names}. {_found(value)}")
        if unknown:
            emptied = _without(value, {each.path for each in unknown})
            emptied = job.validation.without_absent(emptied)
            if job.validation.problem(emptied) is None:
                return emptied, tuple(each for each in groundings if each not in unknown)
        problem = job.validation.problem(value)
        if problem is not None:  # put together out of parts that were valid
            raise ExtractionError(f"What the parts of the text say does not go together: {problem}. {_found(value)}")
        return value, groundings


class _Job:
    """One schema, put to the model as often as there are parts of a text."""

    def __init__(self, model: ModelAccess, schema: Schema, bounds: Bounds, user: str, *, nulls: bool) -> None:
        """`nulls`: what need not be there and is not in the text may be null without asking the model."""
        self._model = model
        self._conversation = f"extraction-{schema.version}"
        schema = replace(schema, record=merged(schema.record))
        self.schema = schema
        self.validation = Validation(schema.answer)
        self._own_fields = len(required_values(schema.record)) if schema.many else 1
        self._prompt = ToolPrompt(schema) if model.status().knows_tools else Prompt(schema)
        self._bounds = bounds
        self._nulls = nulls
        self._budget = min(self._prompt.around + budget(bounds.apply(schema.answer)), model.n_ctx // 2)
        self._user = user

    async def cut(self, text: str, chunk_tokens: int) -> Sequence[str]:
        """Parts of the text that fit the window with the instructions and an answer."""
        # A token is a byte at least: most texts need not be counted.
        most = self._prompt.size + len(text.encode()) + self._budget
        if len(text.encode()) <= chunk_tokens and most <= self._model.n_ctx:
            return [text]
        empty = await self._model.count_prompt_tokens(self._prompt.counted(""), reasoning="off")
        whole = await self._model.count_prompt_tokens(self._prompt.counted(text[:_SAMPLE]), reasoning="off")
        room = self._model.n_ctx - empty - self._budget - _ROOM
        if room < 1:
            raise InvalidRequestError(
                f"The schema {self.schema.name} is too long for this model's window of {self._model.n_ctx} tokens."
            )
        used = max(1, whole - empty)
        longest = min(room, chunk_tokens)
        if used <= longest and len(text) <= _SAMPLE:
            return [text]
        return chunks(text, max(1, len(text[:_SAMPLE]) * longest // used))

    async def read(self, text: str) -> _Answer:
        """A valid answer. Raises `ExtractionError` when a second try has none either."""
        messages = self._prompt.messages(text)
        facts: list[GenerationDone] = []
        problem, found = "", ""
        for _ in range(_TRIES):
            try:
                done = await self._ask(messages, text)
            except PromptTooLongError:
                if not facts:
                    raise
                break  # no room for what was wrong with the first try
            facts.append(done)
            found = self._prompt.answer(done)
            try:
                value = self.validation.without_absent(json.loads(found))
            except (ValueError, RecursionError):
                problem = "it is not JSON"
            else:
                for each in (_trimmed(value), value):
                    wrong = self.validation.problem(each)
                    if wrong is None:
                        return _Answer(value=each, facts=tuple(facts))
                    problem = wrong
            messages = tuple(self._prompt.again(text, found, problem))
        raise ExtractionError(f"I found nothing in the text that fits the schema: {problem}. {_found(found)}")

    def _held(self, text: str, guesses: Guesses) -> dict[str, Any]:
        """What the model is held to: what is copied is not longer than the text, nor more than there is of it."""
        word = max(map(len, text.split()), default=0) + _ADDRESS_BEGINNING
        most = record_limit(text, fields=self._own_fields)
        bounds = replace(
            self._bounds,
            max_string=min(self._bounds.max_string, _step(len(text))),
            max_address=min(self._bounds.max_address, _step(word)),
            max_items=min(self._bounds.max_items, most),
        )
        return bounds.apply(self._possible(guesses).answer)

    def _possible(self, guesses: Guesses) -> Schema:
        """The schema without the values that the text cannot have."""
        lacking = guesses.lacking(self.schema.record) if self._nulls else ()
        if not lacking:
            return self.schema
        properties = {**self.schema.record["properties"], **{name: {"type": "null"} for name in lacking}}
        return replace(self.schema, record={**self.schema.record, "properties": properties})

    def _copied_from(self, text: str, guesses: Guesses) -> str:
        """What is likely comes first: of two guesses that fit as well the first is taken."""
        likely = guesses.of(self.schema.record, colon=self._prompt.colon, comma=self._prompt.comma)
        return f"{likely}\n{text}" if likely else text

    async def _ask(self, messages: tuple[ChatMessage, ...], text: str) -> GenerationDone:
        guesses = Guesses(text)
        generation = self._model.submit(
            GenerationRequest(
                messages=messages,
                user=self._user,
                conversation=self._conversation,
                sampling=SamplingParams(temperature=0.0),
                max_tokens=self._budget,
                reasoning="off",
                copied_from=self._copied_from(text, guesses),
                **self._prompt.asking(self._held(text, guesses), text),
            )
        )
        return await generation.result()


def _step(length: int) -> int:
    """The next larger one of a few, so that grammars recur."""
    return 1 << max(_SHORTEST, length.bit_length())


def clean(text: str) -> str:
    """Without control characters and halves of characters, which no text means and no tokenizer knows."""
    return _SURROGATES.sub("�", _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))).strip()


def _is_in(source: Source, value: Any) -> bool:
    return not isinstance(value, bool) and isinstance(value, str | int | float) and source.find(value) is not None


def _without(value: Any, paths: set[tuple[str | int, ...]], at: tuple[str | int, ...] = ()) -> Any:
    if at in paths:
        return None
    if isinstance(value, Mapping):
        return {key: _without(item, paths, (*at, key)) for key, item in value.items()}
    if isinstance(value, list):
        return [_without(item, paths, (*at, index)) for index, item in enumerate(value)]
    return value


def _trimmed(value: Any) -> Any:
    """Without the space that small models begin words with."""
    if isinstance(value, dict):
        return {key: _trimmed(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_trimmed(item) for item in value]
    return value.strip() if isinstance(value, str) else value


def _found(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return f"What I found:\n\n```json\n{text}\n```"


def _cost(parts: int, facts: Sequence[GenerationDone]) -> Cost:
    usages = [done.facts.usage for done in facts]
    return Cost(
        parts=parts,
        requests=len(usages),
        prompt_tokens=sum(usage.prompt_tokens for usage in usages),
        cached_tokens=sum(usage.cached_tokens for usage in usages),
        completion_tokens=sum(usage.completion_tokens for usage in usages),
    )
