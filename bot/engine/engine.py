"""The engine as the rest of the daemon sees it: submit a request in the event loop, read its events there."""

import asyncio
import itertools
import time
from collections.abc import Callable, Coroutine
from collections.abc import Sequence as SequenceOf
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

from bot.engine.download_progress import DownloadProgress, LineProgress
from bot.engine.ledger import Ledger, request_figures
from bot.engine.loaded_model import LoadedModel, ModelSource
from bot.engine.lock import InferenceLock
from bot.engine.prompt_reader import ReadPrompt
from bot.engine.sequence import Sequence
from bot.engine.timers import Timers
from bot.errors import EngineLostError, HearthbotError, InvalidRequestError, QueueFullError, RequestError
from bot.figures import EngineFigures, RequestFigures
from bot.generation import Generation
from bot.messages import ReplyFacts, Timings, Usage
from bot.request import (
    ChatMessage,
    EngineStatus,
    GenerationDone,
    GenerationEvent,
    GenerationFailed,
    GenerationLoading,
    GenerationRequest,
    GenerationWaiting,
)
from bot.settings import EngineSettings, ModelSettings, ReasoningMode

_NOTICE_AFTER_S = 3.0
"""A model that is loaded again for a request is worth a word when it takes longer."""
_SAVE_AFTER_S = 30.0
"""How long after a reply the idle conversations' KV states are written to disk."""


class Engine:
    """One model. Every method is called in the event loop the engine was started in."""

    @classmethod
    async def start(
        cls,
        model: ModelSettings,
        engine: EngineSettings,
        *,
        cache_dir: Path,
        notify: Callable[[str], None],
        progress: DownloadProgress | None = None,
        personas: SequenceOf[SequenceOf[ChatMessage]] = (),
        observe: Callable[[ReplyFacts], None] = lambda _: None,
    ) -> "Engine":
        """Find, probe and load the model.

        `cache_dir` keeps downloads, the probe's answers and KV states; `notify` gets a line for people about each slow
        or surprising step, and the progress of a download where nothing better is given; `personas` are the starts
        that many conversations share; `observe` gets the facts of each reply. Raises `ModelLoadError`.
        """
        source = ModelSource(
            model=model,
            engine=engine,
            cache_dir=cache_dir,
            notify=notify,
            progress=progress or LineProgress(notify),
            personas=tuple(map(tuple, personas)),
        )
        started = cls(source, observe)
        try:
            await started._load()
        except BaseException:
            await started.aclose()
            raise
        return started

    def __init__(self, source: ModelSource, observe: Callable[[ReplyFacts], None]) -> None:
        """Use `start`."""
        self._observe = observe
        self._loop = asyncio.get_running_loop()
        self._source = source
        self._model: LoadedModel | None = None
        self._n_ctx = 0
        self._ids = itertools.count(1)
        self._reading: dict[int, asyncio.Task[None]] = {}
        """Requests on their way to the line."""
        self._sequences: dict[int, Sequence] = {}
        """Requests that use the model."""
        self._quiet = asyncio.Event()
        self._quiet.set()
        self._switching = asyncio.Lock()
        """Held while the model is loaded, changed or given up."""
        self._error: EngineLostError | None = None
        self._lost = asyncio.Event()
        self._timers = Timers(self._loop)
        self._ledger = Ledger()
        self._tasks: set[asyncio.Task[None]] = set()
        self.lock = InferenceLock(step=self._step, on_lost=self._lost_on_thread)
        # Reading a long prompt takes milliseconds: off the event loop, and not at the expense of anybody's reply.
        self._readers = ThreadPoolExecutor(max_workers=1, thread_name_prefix="prompt-reader")
        self.lock.start()

    @property
    def n_ctx(self) -> int:
        """Window of one conversation, in tokens."""
        return self._n_ctx

    @property
    def model(self) -> LoadedModel:
        """The loaded model, for figures and tests. Raises `RuntimeError` while there is none."""
        if self._model is None:
            raise RuntimeError("no model is loaded")
        return self._model

    def status(self) -> EngineStatus:
        """What the engine is doing now."""
        model = self._model
        return EngineStatus(
            model=model.file.name if model else "",
            loaded=model is not None,
            running=len(model.scheduler.running) if model else 0,
            waiting=(len(model.scheduler.line) if model else 0) + len(self._reading),
            max_parallel=model.runner.params.max_parallel if model else self._source.engine.max_parallel,
            n_ctx=self._n_ctx,
        )

    def figures(self) -> EngineFigures:
        """What it did so far, and how fast it is."""
        return self._ledger.figures(self._model)

    def requests(self) -> list[RequestFigures]:
        """Every request that is waiting or served, in the order they came."""
        return [request_figures(request_id, sequence) for request_id, sequence in self._sequences.items()]

    def cancel(self, request_id: int) -> None:
        """Stop a request wherever it is; nothing happens where it has ended."""
        if request_id in self._sequences:
            sequence, core = self._sequences[request_id], self.model.core
            self.lock.post(lambda: core.cancel(sequence))
        elif request_id in self._reading:
            self._reading[request_id].cancel()

    def heartbeat(self) -> float:
        """Seconds since the inference thread last finished a step; 0 while it has nothing to do."""
        return self.lock.busy_s()

    def submit(self, request: GenerationRequest) -> Generation:
        """Put a request in the line.

        Raises `EngineLostError` and `QueueFullError`; every other failure is a `GenerationFailed` event.
        """
        if self._error is not None:
            raise self._error
        settings = self._source.engine
        # The line refuses what is too much; this only bounds what may be on its way to it while a model is loaded.
        if len(self._reading) > 2 * (settings.max_waiting + settings.max_parallel):
            raise QueueFullError("Too many people are waiting right now. Please try again in a few minutes.")
        generation = Generation(next(self._ids), self.cancel)
        submitted_at = time.perf_counter()
        reading = self._loop.create_task(self._read(generation, request, submitted_at), name="prompt")
        self._reading[generation.request_id] = reading

        def done(task: asyncio.Task[None]) -> None:
            del self._reading[generation.request_id]
            if task.cancelled():  # perhaps before its first line
                generation.push(GenerationDone(text="", reasoning="", facts=_nothing_done(submitted_at)))

        reading.add_done_callback(done)
        return generation

    async def count_prompt_tokens(
        self, messages: SequenceOf[ChatMessage], *, reasoning: ReasoningMode = "hide", continue_final: bool = False
    ) -> int:
        """Exact number of tokens of a prompt, by the model's own template and tokenizer."""
        async with self._switching:
            model = self._model or await self._load()
            return await self._loop.run_in_executor(
                self._readers, lambda: model.reader.count(messages, reasoning, continue_final=continue_final)
            )

    async def reload(
        self,
        model: ModelSettings,
        engine: EngineSettings,
        *,
        personas: SequenceOf[SequenceOf[ChatMessage]] | None = None,
    ) -> None:
        """Change the model or its settings: drain, close, probe, load. On failure the old one comes back.

        `personas` are as for `start`; None keeps those there are. Requests that come meanwhile wait. Raises what the
        load of the new one raised.
        """
        async with self._switching:
            await self._quiet.wait()
            old = self._source
            await self._unload()
            starts = old.personas if personas is None else tuple(map(tuple, personas))
            self._source = replace(old, model=model, engine=engine, personas=starts)
            try:
                await self._load()
            except HearthbotError:
                self._source = old
                await self._load()
                raise

    def use_personas(self, personas: SequenceOf[SequenceOf[ChatMessage]]) -> None:
        """From now on these are the starts that many conversations share; what is new of them is read ahead."""
        known, starts = self._source.personas, tuple(map(tuple, personas))
        self._source = replace(self._source, personas=starts)
        if self._model is not None and self._error is None:
            self._prewarm(self._model, [start for start in starts if start not in known])

    async def unload(self) -> bool:
        """Free the model's memory until the next request needs it; False when somebody uses it."""
        async with self._switching:
            if self._model is None or not self._quiet.is_set() or self._reading:
                return False
            await self._unload()
            return True

    async def forget(self, users: SequenceOf[str]) -> None:
        """Drop every KV state of these users, from the context, RAM and disk. Raises `EngineLostError`."""
        if self._error is not None:
            raise self._error
        async with self._switching:
            model = self._model or await self._load()  # only with it the files on disk are known
            await asyncio.wrap_future(self.lock.call(lambda: model.core.forget(set(users))))

    @property
    def lost(self) -> bool:
        """Whether the engine has failed for good."""
        return self._error is not None

    async def wait_lost(self) -> None:
        """Wait until the engine fails for good; raises `EngineLostError` then."""
        await self._lost.wait()
        if self._error is not None:
            raise self._error

    async def aclose(self) -> None:
        """Cancel what still runs, save what is worth keeping, and free the model."""
        self._timers.stop_all()
        for request_id in [*self._reading, *self._sequences]:
            self.cancel(request_id)
        if self._error is None:
            await self._quiet.wait()
        async with self._switching:
            await self._unload()
        await asyncio.to_thread(self._readers.shutdown)
        await asyncio.to_thread(self.lock.close)

    # requests

    async def _read(self, generation: Generation, request: GenerationRequest, submitted_at: float) -> None:
        """Render and measure a request, and put it in the line."""
        notice = self._loop.call_later(_NOTICE_AFTER_S, generation.push, GenerationLoading())
        try:
            async with self._switching:
                model = self._model or await self._load()
                notice.cancel()
                prompt = await self._loop.run_in_executor(self._readers, model.read, request)
                self._enqueue(model, generation, request, prompt, submitted_at)
        except (RequestError, EngineLostError) as error:
            generation.push(GenerationFailed(error=error, text=""))
        except HearthbotError as error:
            generation.push(GenerationFailed(error=self._model_is_gone(error), text=""))
        except Exception as error:  # noqa: BLE001 - whatever it is, it is this request's only
            generation.push(
                GenerationFailed(error=InvalidRequestError("I cannot read this message.", repr(error)), text="")
            )
        finally:
            notice.cancel()

    def _enqueue(
        self,
        model: LoadedModel,
        generation: Generation,
        request: GenerationRequest,
        prompt: ReadPrompt,
        submitted_at: float,
    ) -> None:
        if self._error is not None:
            raise self._error
        sequence = Sequence(
            request=request,
            generation=generation,
            prompt=prompt,
            default_seed=self._source.engine.seed,
            submitted_at=submitted_at,
            clock=time.perf_counter,
        )
        self._sequences[generation.request_id] = sequence
        self._quiet.clear()
        self._timers.stop("unload")
        self.lock.post(lambda: model.core.add(sequence))

    def _deliver_from_thread(self, events: list[tuple[Sequence, GenerationEvent]]) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._deliver, events)

    def _deliver(self, events: list[tuple[Sequence, GenerationEvent]]) -> None:
        for sequence, event in events:
            sequence.generation.push(event)
            self._ledger.count(event)
            if isinstance(event, GenerationDone):
                self._observe(event.facts)
            if isinstance(event, GenerationWaiting):
                sequence.position = event.position
            if sequence.generation.ended:
                del self._sequences[sequence.generation.request_id]
        if not self._sequences and not self._quiet.is_set():
            self._quiet.set()
            self._when_quiet()

    def _when_quiet(self) -> None:
        """Nobody is being answered: think of the KV states, and of the memory."""
        if "save" not in self._timers:
            self._timers.start("save", _SAVE_AFTER_S, self._save)
        if self._source.engine.idle_unload_s is not None:
            self._timers.start("unload", self._source.engine.idle_unload_s, self._unload_when_idle)

    def _save(self) -> None:
        if self._model is not None:
            self.lock.post(self._model.core.keep_idle)

    def _unload_when_idle(self) -> None:
        self._spawn(self._unload_quietly())

    async def _unload_quietly(self) -> None:
        if await self.unload():
            self._source.notify("The model was idle and has been unloaded; the next message loads it again.")

    # the model

    async def _load(self) -> LoadedModel:
        model = await LoadedModel.load(self._source, self._deliver_from_thread)
        self._model, self._n_ctx = model, model.runner.n_ctx
        self._prewarm(model, self._source.personas)
        return model

    def _prewarm(self, model: LoadedModel, personas: SequenceOf[SequenceOf[ChatMessage]]) -> None:
        if not self._source.engine.prewarm:
            return
        for request, start in model.prewarm_requests(personas):
            generation = Generation(next(self._ids), self.cancel)
            self._enqueue(model, generation, request, model.reader.measured(request, start), time.perf_counter())

    async def _unload(self) -> None:
        model, self._model = self._model, None
        if model is None:
            return
        if self._error is None:
            await model.close(self.lock)
        else:
            await model.abandon()

    def _step(self) -> bool:
        model = self._model
        return model is not None and model.core.step()

    def _model_is_gone(self, error: HearthbotError) -> RequestError:
        return RequestError("My model cannot be loaded right now. Please tell the owner of this bot.", str(error))

    # losing it

    def _lost_on_thread(self, cause: BaseException) -> None:
        error = cause if isinstance(cause, EngineLostError) else EngineLostError(f"the engine failed: {cause!r}")
        if self._model is not None:
            self._model.core.fail_all(error)
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._mark_lost, error)

    def _mark_lost(self, error: EngineLostError) -> None:
        self._error = error
        # Requests that reached the thread's inbox after it had failed were not seen by it.
        for sequence in self._sequences.values():
            sequence.generation.push(GenerationFailed(error=error, text=sequence.writer.text))
        self._sequences.clear()
        self._quiet.set()
        self._lost.set()

    # tasks

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._loop.create_task(work, name="engine")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _nothing_done(submitted_at: float) -> ReplyFacts:
    waited = (time.perf_counter() - submitted_at) * 1000
    return ReplyFacts(
        finish_reason="cancelled",
        usage=Usage(prompt_tokens=0, cached_tokens=0, completion_tokens=0),
        timings=Timings(queue_ms=waited, prefill_ms=0.0, ttft_ms=0.0, decode_ms=0.0),
    )
