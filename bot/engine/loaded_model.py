"""A model with everything that lives and dies with it."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bot.engine.chat_template import ChatTemplate
from bot.engine.chunk_sizer import ChunkSizer
from bot.engine.core import Core, Deliver
from bot.engine.download_progress import DownloadProgress
from bot.engine.fingerprint import fingerprint_of
from bot.engine.kv_store import KvStore
from bot.engine.load_params import LoadParams
from bot.engine.lock import InferenceLock
from bot.engine.model_file import ModelFile, resolve
from bot.engine.probe import Probe
from bot.engine.prompt_reader import PromptReader, ReadPrompt
from bot.engine.reuse import Reuse
from bot.engine.runner import Runner, gpu_offload_supported
from bot.engine.scheduler import Scheduler
from bot.engine.waiting_line import WaitingLine
from bot.request import ChatMessage, GenerationRequest
from bot.settings import EngineSettings, ModelSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSource:
    """What is loaded, and how."""

    model: ModelSettings
    engine: EngineSettings
    cache_dir: Path
    """Keeps downloads, the probe's answers and KV states."""
    notify: Callable[[str], None]
    """Gets a line for people about each slow or surprising step."""
    progress: DownloadProgress
    """Shows a download."""
    personas: tuple[tuple[ChatMessage, ...], ...] = ()
    """Prompts' starts that many conversations share, read ahead when `engine.prewarm` is on."""


class LoadedModel:
    """Runner, prompt reader, scheduler, KV store and the core that joins them."""

    @classmethod
    async def load(cls, source: ModelSource, deliver: Deliver) -> "LoadedModel":
        """Find, probe and load; everything slow happens on other threads. Raises `ModelLoadError`, `ConfigError`."""
        return await asyncio.to_thread(cls._load, source, deliver)

    @classmethod
    def _load(cls, source: ModelSource, deliver: Deliver) -> "LoadedModel":
        models = source.cache_dir / "models"
        file = resolve(source.model, cache_dir=models, notify=source.notify, progress=source.progress)
        offload = gpu_offload_supported()
        params = LoadParams.from_settings(file.path, source.model, source.engine, gpu_offload=offload)
        if source.engine.probe == "auto":
            params = Probe(source.cache_dir / "probe.json", notify=source.notify).find(params).params
        runner = Runner(params)
        try:
            return cls(file=file, runner=runner, source=source, deliver=deliver)
        except BaseException:
            runner.close()
            raise

    def __init__(self, *, file: ModelFile, runner: Runner, source: ModelSource, deliver: Deliver) -> None:
        """Use `load`."""
        settings = source.engine
        self.file = file
        self.runner = runner
        template = ChatTemplate.choose(
            source.model,
            model_template=runner.chat_template,
            bos_token=runner.vocabulary.bos_text,
            eos_token=runner.vocabulary.eos_text,
            control_texts=runner.vocabulary.control_texts,
        )
        self.reader = PromptReader(template=template, vocabulary=runner.vocabulary, n_ctx=runner.n_ctx)
        # What was read ahead in vain must be easy to forget.
        self.read_ahead = settings.max_parallel if settings.prewarm and not runner.needs_checkpoints else 0
        """For how many of the latest conversations the next prompt's beginning is read ahead."""
        self.store = _open_store(source.cache_dir, settings, runner)
        self.scheduler = Scheduler(
            WaitingLine(limit=settings.max_waiting, limit_per_user=settings.max_waiting_per_user),
            ChunkSizer(
                target_s=settings.step_target_ms / 1000,
                n_batch=runner.n_batch,
                prefill_tokens_per_s=runner.params.prefill_tokens_per_s,
            ),
        )
        self.core = Core(
            runner=runner,
            scheduler=self.scheduler,
            deliver=deliver,
            store=self.store,
            share_prefix=settings.share_prefix,
        )

    def read(self, request: GenerationRequest) -> ReadPrompt:
        """Render and measure a request, and fetch its stored state from disk, off the inference thread."""
        prompt = self.reader.read(request)
        if self.store is not None:
            self.store.prefetch(prompt.text)
        return prompt

    async def close(self, lock: InferenceLock) -> None:
        """Save what is worth keeping and free the memory. Nothing may be running."""
        await asyncio.wrap_future(lock.call(self.core.keep_idle))
        if self.store is not None:
            await asyncio.to_thread(self.store.close)
        await asyncio.wrap_future(lock.call(self.runner.close))

    async def abandon(self) -> None:
        """Free the memory after the engine was lost: its context cannot be trusted, so nothing of it is kept."""
        if self.store is not None:
            await asyncio.to_thread(self.store.close)
        await asyncio.to_thread(self.runner.close)


def _open_store(cache_dir: Path, settings: EngineSettings, runner: Runner) -> KvStore | None:
    if not settings.kv_ram_mb and not settings.kv_disk_mb:
        return None
    return KvStore(
        ram_limit=settings.kv_ram_mb << 20,
        disk_limit=settings.kv_disk_mb << 20,
        folder=cache_dir / "kv",
        fingerprint=fingerprint_of(runner.params),
        usable=Reuse(runner).of_stored,
    )
