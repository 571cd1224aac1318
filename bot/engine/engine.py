"""The engine as the rest of the daemon sees it: submit a request in the event loop, read its events there."""

import asyncio
import itertools
import time
from collections.abc import Callable
from collections.abc import Sequence as SequenceOf
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bot.engine.chat_template import ChatTemplate
from bot.engine.chunk_sizer import ChunkSizer
from bot.engine.core import Core
from bot.engine.download_progress import DownloadProgress, LineProgress
from bot.engine.fingerprint import fingerprint_of
from bot.engine.generation import Generation
from bot.engine.kv_store import KvStore
from bot.engine.load_params import LoadParams
from bot.engine.lock import InferenceLock
from bot.engine.model_file import ModelFile, resolve
from bot.engine.probe import Probe
from bot.engine.prompt_reader import PromptReader, ReadPrompt
from bot.engine.request import ChatMessage, EngineStatus, GenerationEvent, GenerationFailed, GenerationRequest
from bot.engine.runner import Runner, gpu_offload_supported
from bot.engine.scheduler import Scheduler
from bot.engine.sequence import Sequence
from bot.engine.waiting_line import WaitingLine
from bot.errors import EngineLostError, InvalidRequestError, RequestError
from bot.settings import EngineSettings, ModelSettings, ReasoningMode


class Engine:
    """One loaded model. Every method is called in the event loop the engine was started in."""

    @classmethod
    async def start(
        cls,
        model: ModelSettings,
        engine: EngineSettings,
        *,
        cache_dir: Path,
        notify: Callable[[str], None],
        progress: DownloadProgress | None = None,
    ) -> "Engine":
        """Find, probe and load the model.

        `cache_dir` keeps downloads and the probe's answers; `notify` gets a line for people about each slow or
        surprising step, and the progress of a download where nothing better is given. Raises `ModelLoadError`.
        """
        progress = progress or LineProgress(notify)
        file = await asyncio.to_thread(resolve, model, cache_dir=cache_dir / "models", notify=notify, progress=progress)
        wanted = LoadParams.from_settings(file.path, model, engine, gpu_offload=gpu_offload_supported())
        if engine.probe == "auto":
            wanted = await asyncio.to_thread(Probe(cache_dir / "probe.json", notify=notify).find, wanted)
        runner = await asyncio.to_thread(Runner, wanted)
        try:
            template = ChatTemplate.choose(
                model,
                model_template=runner.chat_template,
                bos_token=runner.vocabulary.bos_text,
                eos_token=runner.vocabulary.eos_text,
                control_texts=runner.vocabulary.control_texts,
            )
            store = await asyncio.to_thread(_open_store, cache_dir, engine, runner.params)
            return cls(file=file, runner=runner, template=template, store=store, settings=engine)
        except BaseException:
            runner.close()
            raise

    def __init__(
        self,
        *,
        file: ModelFile,
        runner: Runner,
        template: ChatTemplate,
        store: KvStore | None,
        settings: EngineSettings,
    ) -> None:
        """Use `start`."""
        self._loop = asyncio.get_running_loop()
        self._file = file
        self._runner = runner
        self._reader = PromptReader(template=template, vocabulary=runner.vocabulary, n_ctx=runner.n_ctx)
        self._seed = settings.seed
        self._ids = itertools.count(1)
        self._reading: dict[int, Generation] = {}
        self._cancelled_while_reading: set[int] = set()
        self._sequences: dict[int, Sequence] = {}
        self._error: EngineLostError | None = None
        self._lost = asyncio.Event()
        self._scheduler = Scheduler(
            WaitingLine(limit=settings.max_waiting, limit_per_user=settings.max_waiting_per_user),
            ChunkSizer(target_s=settings.step_target_ms / 1000, n_batch=runner.n_batch),
        )
        self._store = store
        self.core = Core(
            runner=runner,
            scheduler=self._scheduler,
            deliver=self._deliver_from_thread,
            store=store,
            share_prefix=settings.share_prefix,
        )
        self.lock = InferenceLock(step=self.core.step, on_lost=self._lost_on_thread)
        # Reading a long prompt takes milliseconds: off the event loop, and not at the expense of anybody's reply.
        self._readers = ThreadPoolExecutor(max_workers=1, thread_name_prefix="prompt-reader")
        self.lock.start()

    @property
    def n_ctx(self) -> int:
        """Window of one conversation, in tokens."""
        return self._runner.n_ctx

    def status(self) -> EngineStatus:
        """What the engine is doing now."""
        return EngineStatus(
            model=self._file.name,
            running=len(self._scheduler.running),
            waiting=len(self._scheduler.line) + len(self._reading),
            max_parallel=self._runner.params.max_parallel,
            n_ctx=self.n_ctx,
        )

    def submit(self, request: GenerationRequest) -> Generation:
        """Put a request in the line. Raises `EngineLostError`; every other failure is a `GenerationFailed` event."""
        if self._error is not None:
            raise self._error
        generation = Generation(next(self._ids), self._cancel)
        self._reading[generation.request_id] = generation
        submitted_at = time.perf_counter()
        task = self._loop.run_in_executor(self._readers, self._reader.read, request)
        task.add_done_callback(lambda done: self._accept(generation, request, submitted_at, done))
        return generation

    async def count_prompt_tokens(
        self, messages: SequenceOf[ChatMessage], *, reasoning: ReasoningMode = "hide", continue_final: bool = False
    ) -> int:
        """Exact number of tokens of a prompt, by the model's own template and tokenizer."""

        def count() -> int:
            return self._reader.count(messages, reasoning, continue_final=continue_final)

        return await self._loop.run_in_executor(self._readers, count)

    async def forget_user(self, user: str) -> None:
        """Drop what the KV cache holds of one user's conversations: in the context, in RAM and on disk.

        Meant for a user nothing is being written for: a sequence in use is left alone.
        """
        if self._error is None:
            await asyncio.wrap_future(self.lock.call(lambda: self.core.forget_user(user)))
        if self._store is not None:
            self._store.forget(lambda owner: owner.user == user)
            await asyncio.to_thread(self._store.flush)

    async def wait_lost(self) -> None:
        """Wait until the engine fails for good; raises `EngineLostError` then."""
        await self._lost.wait()
        if self._error is not None:
            raise self._error

    async def aclose(self) -> None:
        """Cancel what still runs, and free the model."""
        for request_id in [*self._reading, *self._sequences]:
            self._cancel(request_id)
        await asyncio.to_thread(self._readers.shutdown)
        await asyncio.sleep(0)  # the last prompts read are handed to the thread before it ends
        if self._error is None:
            self.lock.post(self.core.keep_idle)
        await asyncio.to_thread(self.lock.close)
        if self._store is not None:
            await asyncio.to_thread(self._store.close)
        await asyncio.to_thread(self._runner.close)

    def _accept(
        self,
        generation: Generation,
        request: GenerationRequest,
        submitted_at: float,
        done: "asyncio.Future[ReadPrompt]",
    ) -> None:
        """A prompt was read: put it in the line, or tell why not."""
        del self._reading[generation.request_id]
        cancelled = generation.request_id in self._cancelled_while_reading
        self._cancelled_while_reading.discard(generation.request_id)
        error = self._error or done.exception()
        if error is not None:
            if not isinstance(error, RequestError | EngineLostError):
                error = InvalidRequestError("I cannot read this message.", repr(error))
            generation.push(GenerationFailed(error=error, text=""))
            return
        prompt = done.result()
        sequence = Sequence(
            request=request,
            generation=generation,
            text=prompt.text,
            prompt_tokens=prompt.prompt_tokens,
            writer=prompt.writer,
            default_seed=self._seed,
            submitted_at=submitted_at,
            clock=time.perf_counter,
        )
        self._sequences[generation.request_id] = sequence
        self.lock.post(lambda: self.core.add(sequence))
        if cancelled:
            self._cancel(generation.request_id)

    def _cancel(self, request_id: int) -> None:
        if request_id in self._reading:
            self._cancelled_while_reading.add(request_id)
        elif request_id in self._sequences:
            sequence = self._sequences[request_id]
            self.lock.post(lambda: self.core.cancel(sequence))

    def _deliver_from_thread(self, events: list[tuple[Sequence, GenerationEvent]]) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._deliver, events)

    def _deliver(self, events: list[tuple[Sequence, GenerationEvent]]) -> None:
        for sequence, event in events:
            sequence.generation.push(event)
            if sequence.generation.ended:
                del self._sequences[sequence.generation.request_id]

    def _lost_on_thread(self, cause: BaseException) -> None:
        error = cause if isinstance(cause, EngineLostError) else EngineLostError(f"the engine failed: {cause!r}")
        self.core.fail_all(error)
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._mark_lost, error)

    def _mark_lost(self, error: EngineLostError) -> None:
        self._error = error
        # Requests that reached the thread's inbox after it had failed were not seen by it.
        for sequence in self._sequences.values():
            sequence.generation.push(GenerationFailed(error=error, text=sequence.writer.text))
        self._sequences.clear()
        self._lost.set()


def _open_store(cache_dir: Path, settings: EngineSettings, params: LoadParams) -> KvStore | None:
    if not settings.kv_ram_mb and not settings.kv_disk_mb:
        return None
    return KvStore(
        ram_limit=settings.kv_ram_mb << 20,
        disk_limit=settings.kv_disk_mb << 20,
        folder=cache_dir / "kv",
        fingerprint=fingerprint_of(params),
    )
