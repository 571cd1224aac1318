"""The engine as the rest of the daemon sees it: submit a request in the event loop, read its events there."""

import asyncio
import itertools
import time
from collections.abc import Callable
from collections.abc import Sequence as SequenceOf
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from bot.engine.download_progress import DownloadProgress, LineProgress
from bot.engine.idle_work import IdleWork
from bot.engine.ledger import Ledger, request_figures
from bot.engine.loaded_model import LoadedModel, ModelSource
from bot.engine.lock import InferenceLock
from bot.engine.open_requests import OpenRequests
from bot.engine.prompt_reader import ReadPrompt
from bot.engine.read_ahead import ReadAhead
from bot.engine.sequence import Sequence
from bot.errors import EngineLostError, HearthbotError, InvalidRequestError, QueueFullError, RequestError
from bot.figures import EngineFigures, RequestFigures
from bot.generation import Generation
from bot.messages import ReplyFacts
from bot.request import (
    ChatMessage,
    EngineStatus,
    GenerationDone,
    GenerationEvent,
    GenerationFailed,
    GenerationLoading,
    GenerationRequest,
)
from bot.settings import EngineSettings, ModelSettings, ReasoningMode

_NOTICE_AFTER_S = 3.0
"""A model that is loaded again for a request is worth a word when it takes longer."""


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
        self._loop = asyncio.get_running_loop()
        self._source = source
        self._model: LoadedModel | None = None
        self._n_ctx, self._knows_tools = 0, False
        self._ids = itertools.count(1)
        self._open = OpenRequests()
        self._switching = asyncio.Lock()
        """Held while the model is loaded, changed or given up."""
        self._error: EngineLostError | None = None
        self._lost = asyncio.Event()
        self._ahead = ReadAhead(self._accept)
        self._idle = IdleWork(self._loop, read_ahead=self._ahead.begin, save=self._save, unload=self._unload_idle)
        self._ledger = Ledger(observe)
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
            waiting=(len(model.scheduler.line) if model else 0) + self._open.reading,
            max_parallel=model.runner.params.max_parallel if model else self._source.engine.max_parallel,
            n_ctx=self._n_ctx,
            knows_tools=self._knows_tools,
        )

    def figures(self) -> EngineFigures:
        """What it did so far, and how fast it is."""
        return self._ledger.figures(self._model)

    def requests(self) -> list[RequestFigures]:
        """Every request that is waiting or served, in the order they came."""
        return [request_figures(sequence.generation.request_id, sequence) for sequence in self._open.sequences()]

    def cancel(self, request_id: int) -> None:
        """Stop a request wherever it is; nothing happens where it has ended."""
        sequence = self._open.sequence(request_id)
        if sequence is None:
            self._open.stop_reading(request_id)
            return
        core = self.model.core
        self.lock.post(lambda: core.cancel(sequence))

    def heartbeat(self) -> float:
        """Seconds since the inference thread last finished a step; 0 while it has nothing to do."""
        return self.lock.busy_s()

    def submit(self, request: GenerationRequest) -> Generation:
        """Put a request in the line.

        Raises `EngineLostError` and `QueueFullError`; every other failure is a `GenerationFailed` event.
        """
        if self._error is not None:
            raise self._error
        self._ahead.give_way()
        settings = self._source.engine
        # The line refuses what is too much; this only bounds what may be on its way to it while a model is loaded.
        if self._open.reading > 2 * (settings.max_waiting + settings.max_parallel):
            raise QueueFullError("Too many people are waiting right now. Please try again in a few minutes.")
        return self._accept(request)

    def _accept(self, request: GenerationRequest) -> Generation:
        generation = Generation(next(self._ids), self.cancel)
        submitted_at = time.perf_counter()
        reading = self._loop.create_task(self._read(generation, request, submitted_at), name="prompt")
        self._open.read(generation, reading, submitted_at=submitted_at)
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
            await self._open.wait_quiet()
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
        if self._model is not None and self._error is None and self._source.engine.prewarm:
            self._ahead.read_personas([start for start in starts if start not in known])

    async def unload(self) -> bool:
        """Free the model's memory until the next request needs it; False when somebody uses it."""
        async with self._switching:
            if self._model is None or not self._open.quiet or self._open.reading:
                return False
            await self._unload()
            return True

    async def forget(self, users: SequenceOf[str]) -> None:
        """Drop every KV state of these users, from the context, RAM and disk. Raises `EngineLostError`."""
        if self._error is not None:
            raise self._error
        self._ahead.forget(users)
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
        self._idle.stop()
        for request_id in self._open:
            self.cancel(request_id)
        if self._error is None:
            await self._open.wait_quiet()
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
            gone = RequestError("My model cannot be loaded right now. Please tell the owner of this bot.", str(error))
            generation.push(GenerationFailed(error=gone, text=""))
        except Exception as error:  # noqa: BLE001 - whatever it is, it is this request's only
            unreadable = InvalidRequestError("I cannot read this message.", repr(error))
            generation.push(GenerationFailed(error=unreadable, text=""))
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
        self._open.add(sequence)
        self._idle.put_off()
        self.lock.post(lambda: model.core.add(sequence))

    def _deliver_from_thread(self, events: list[tuple[Sequence, GenerationEvent]]) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._deliver, events)

    def _deliver(self, events: list[tuple[Sequence, GenerationEvent]]) -> None:
        for sequence, event in events:
            self._open.deliver(sequence, event)
            if sequence.request.beginning_only:
                continue
            self._ledger.count(event)
            if isinstance(event, GenerationDone):
                self._ahead.replied(sequence.request, event, sequences=self._model.read_ahead if self._model else 0)
        if self._open.settle():
            self._idle.begin(unload_s=self._source.engine.idle_unload_s)

    def _save(self) -> None:
        if self._model is not None:
            self.lock.post(self._model.core.keep_idle)

    async def _unload_idle(self) -> None:
        if await self.unload():
            self._source.notify("The model was idle and has been unloaded; the next message loads it again.")

    # the model

    async def _load(self) -> LoadedModel:
        model = await LoadedModel.load(self._source, self._deliver_from_thread)
        self._model, self._n_ctx, self._knows_tools = model, model.runner.n_ctx, model.reader.knows_tools
        if self._source.engine.prewarm:
            self._ahead.read_personas(self._source.personas)
        return model

    async def _unload(self) -> None:
        self._ahead.forget()
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
        self._open.fail_all(error)
        self._lost.set()
