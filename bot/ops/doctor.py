"""Examines an installation the way a start would use it."""

import asyncio
import platform
import shutil
import sqlite3
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from importlib.metadata import PackageNotFoundError, version

from bot.check import Check
from bot.config import LoadedConfig
from bot.engine.download_progress import LineProgress, readable_size
from bot.engine.engine import Engine
from bot.engine.load_params import LoadParams
from bot.engine.model_file import ModelFile, resolve
from bot.engine.probe import Probe
from bot.engine.probe_answers import ProbeAnswer
from bot.engine.runner import gpu_offload_supported
from bot.errors import ConfigError, EngineLostError, ModelLoadError, RequestError, StorageError
from bot.paths import Paths
from bot.request import ChatMessage, GenerationRequest, SamplingParams
from bot.settings import EngineSettings
from bot.storage.database import Database

LIBRARIES = ("llama-cpp-python", "pydantic", "aiosqlite", "prompt-toolkit")
LITTLE_SPACE = 500 * 2**20
"""Bytes on the database's disk below which a warning is due."""
SLOW_TOKENS_PER_S = 3.0
"""Below this rate a reply is written slower than people read aloud (about 150 words a minute)."""
SPEED_PROMPT = "Tell me about the sea. " + "The sea is wide and deep, and ships sail on it to far countries. " * 16
SPEED_TOKENS = 48


class Doctor:
    """Makes one check after another. What would stop a start is a failure; what would only hurt is a warning."""

    def __init__(self, *, load: Callable[[], LoadedConfig], paths: Paths, notify: Callable[[str], None]) -> None:
        """`load` reads the configuration and raises `ConfigError`; `notify` shows that something slow goes on."""
        self._load = load
        self._notify = notify
        self._paths = paths

    async def examine(self) -> AsyncIterator[Check]:
        """Yield findings as they are made. Nothing that needs a broken part is examined after it."""
        yield self._python()
        yield self._libraries()
        try:
            loaded = self._load()
        except ConfigError as error:
            fix = "correct the file; `hearthbot config check` reads it again"
            yield Check(name="configuration", status="fail", found=str(error), fix=fix, exit_code=error.exit_code)
            return
        yield Check(name="configuration", status="ok", found=str(loaded.path or "built-in defaults, no file found"))
        yield await self._storage(loaded)
        async for check in self._model(loaded):
            yield check

    @staticmethod
    def _python() -> Check:
        found = (
            f"{platform.python_version()} on {platform.system()} {platform.machine()}, SQLite {sqlite3.sqlite_version}"
        )
        return Check(name="python", status="ok", found=f"{found}, {sys.executable}")

    @staticmethod
    def _libraries() -> Check:
        found, missing = [], []
        for name in LIBRARIES:
            try:
                found.append(f"{name} {version(name)}")
            except PackageNotFoundError:
                missing.append(name)
        if missing:
            fix = "install hearthbot again, with what it needs: pip install --force-reinstall hearthbot"
            return Check(name="libraries", status="fail", found=f"missing: {', '.join(missing)}", fix=fix, exit_code=1)
        return Check(name="libraries", status="ok", found=", ".join(found))

    async def _storage(self, loaded: LoadedConfig) -> Check:
        settings = loaded.settings.storage
        path = self._paths.database_at(settings.path)
        try:
            database = await Database.open(path, busy_timeout_s=settings.busy_timeout_s)
            try:
                damage = await database.integrity()
            finally:
                await database.aclose()
        except StorageError as error:
            fix = "make the file and its folder writable, or set storage.path to another place"
            return Check(name="storage", status="fail", found=str(error), fix=fix, exit_code=error.exit_code)
        if damage:
            fix = f"stop hearthbot and put a backup in the place of {path}, or move it away to begin anew"
            found = f"{path} is damaged: {'; '.join(damage[:3])}"
            return Check(name="storage", status="fail", found=found, fix=fix, exit_code=StorageError.exit_code)
        free = shutil.disk_usage(path.parent).free
        found = f"{path}, {path.stat().st_size / 2**20:.1f} MiB, {free / 2**30:.1f} GiB free"
        if free < LITTLE_SPACE:
            return Check(name="storage", status="warn", found=found, fix="make space on this disk")
        return Check(name="storage", status="ok", found=found)

    async def _model(self, loaded: LoadedConfig) -> AsyncIterator[Check]:
        model, settings = loaded.settings.model, loaded.settings.engine
        try:
            file = await asyncio.to_thread(
                resolve,
                model,
                cache_dir=self._paths.models,
                notify=self._notify,
                progress=LineProgress(self._notify),
            )
            yield self._file(file)
            wanted = LoadParams.from_settings(file.path, model, settings, gpu_offload=gpu_offload_supported())
            engine = await Engine.start(model, settings, cache_dir=self._paths.cache, notify=self._notify)
        except ModelLoadError as error:
            fix = "set model.path, or model.repo and model.file, to a GGUF file that this machine can run"
            yield Check(name="model", status="fail", found=str(error), fix=fix, exit_code=error.exit_code)
            return
        try:
            for check in self._probe(wanted, settings):
                yield check
            async for check in self._talk(engine):
                yield check
        finally:
            await engine.aclose()

    def _probe(self, wanted: LoadParams, settings: EngineSettings) -> Iterator[Check]:
        if settings.probe == "off":
            yield Check(name="probe", status="ok", found="not asked for (engine.probe: off)")
            return
        path = self._paths.cache / "probe.json"
        answer = Probe(path, notify=self._notify).remembered(wanted)
        if answer is None:
            found = f"the model runs, but how cannot be remembered in {path}, so every start tries it anew"
            yield Check(name="probe", status="warn", found=found, fix="make the file and its folder writable")
            return
        yield Check(name="probe", status="ok", found=answer.change or "the model runs with the settings as they are")
        yield self._tuning(answer)

    @staticmethod
    def _tuning(answer: ProbeAnswer) -> Check:
        if answer.params.tunable is None:
            return Check(name="tuning", status="ok", found="not asked for (engine.tune: off)")
        if answer.measurements is None:
            found = "the machine was busy with something else, so the usual settings stay"
            return Check(name="tuning", status="warn", found=found, fix="examine it again when it is idle")
        if answer.chosen is None:
            found = "the model could not be measured, so the usual settings stay; the log has the reason"
            fix = "set engine.tune: off and the threads by hand"
            return Check(name="tuning", status="warn", found=found, fix=fix)
        return Check(name="tuning", status="ok", found=str(answer.chosen))

    @staticmethod
    def _file(file: ModelFile) -> Check:
        header = file.header
        found = f"{file.path}, {readable_size(file.size)}, GGUF {header.version}, {len(header.tensors)} tensors"
        return Check(name="model", status="ok", found=found)

    async def _talk(self, engine: Engine) -> AsyncIterator[Check]:
        messages = (ChatMessage(role="user", content=SPEED_PROMPT),)
        try:
            tokens = await engine.count_prompt_tokens(messages)
            found = f"a message and its frame are {tokens} of {engine.n_ctx} tokens"
            yield Check(name="chat template", status="ok", found=found)
            request = GenerationRequest(
                messages=messages,
                user="doctor",
                sampling=SamplingParams(temperature=0.0),
                max_tokens=min(SPEED_TOKENS, engine.n_ctx // 4),
            )
            facts = (await engine.submit(request).result()).facts
        except (RequestError, EngineLostError) as error:
            fix = "set model.chat_format, or model.chat_template; the log has the details"
            yield Check(name="first reply", status="fail", found=str(error), fix=fix, exit_code=error.exit_code)
            return
        speed = f"reads {facts.prefill_tokens_per_s:.0f} tokens/s, writes {facts.decode_tokens_per_s:.0f} tokens/s"
        if facts.decode_tokens_per_s < SLOW_TOKENS_PER_S:
            fix = "take a smaller model or a smaller quantization of it"
            yield Check(name="speed", status="warn", found=speed, fix=fix)
        else:
            yield Check(name="speed", status="ok", found=speed)
