"""Examines the model as a start would: its file, its probe, and a first reply."""

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

from bot.check import Check
from bot.engine.download_progress import LineProgress, readable_size
from bot.engine.engine import Engine
from bot.engine.load_params import LoadParams
from bot.engine.model_file import ModelFile, resolve
from bot.engine.partial_file import beside
from bot.engine.probe import Probe
from bot.engine.probe_answers import ProbeAnswer
from bot.engine.runner import gpu_offload_supported
from bot.errors import EngineLostError, ModelLoadError, RequestError
from bot.ops.machine_check import memory_check
from bot.paths import Paths
from bot.request import ChatMessage, GenerationRequest, SamplingParams
from bot.settings import Configuration, EngineSettings

SLOW_TOKENS_PER_S = 3.0
"""Below this rate a reply is written slower than people read aloud (about 150 words a minute)."""
SPEED_PROMPT = "Tell me about the sea. " + "The sea is wide and deep, and ships sail on it to far countries. " * 16
SPEED_TOKENS = 48
_SHA256 = re.compile(r"[0-9a-f]{64}")


class ModelCheck:
    """One examination of the model that the settings name."""

    def __init__(self, settings: Configuration, *, paths: Paths, notify: Callable[[str], None]) -> None:
        """`notify` shows that something slow goes on."""
        self._settings = settings
        self._paths = paths
        self._notify = notify

    async def examine(self) -> AsyncIterator[Check]:
        """Yield findings as they are made; after one that a start fails by there are no more."""
        model, settings = self._settings.model, self._settings.engine
        try:
            file = await asyncio.to_thread(
                resolve,
                model,
                cache_dir=self._paths.models,
                notify=self._notify,
                progress=LineProgress(self._notify),
            )
            yield _header(file, settings.n_ctx)
            if (checksum := await self._checksum(file)) is not None:
                yield checksum
            yield memory_check(file.size)
            wanted = LoadParams.from_settings(file.path, model, settings, gpu_offload=gpu_offload_supported())
            engine = await Engine.start(model, settings, cache_dir=self._paths.cache, notify=self._notify)
        except ModelLoadError as error:
            fix = "set model.path, or model.repo and model.file, to a GGUF file that this machine can run"
            yield Check(name="model", status="fail", found=str(error), fix=fix, exit_code=error.exit_code)
            return
        try:
            for check in self._probe(wanted, settings):
                yield check
            async for check in _talk(engine):
                yield check
        finally:
            await engine.aclose()

    async def _checksum(self, file: ModelFile) -> Check | None:
        """Of a downloaded file, whose publisher's SHA-256 is kept beside it; None for one without."""
        for part in file.parts:
            kept = beside(part, ".etag")
            expected = kept.read_text(encoding="utf-8") if kept.is_file() else ""
            if not _SHA256.fullmatch(expected):
                return None
            self._notify(f"Reading {part.name} once, to compare its checksum ...")
            if await asyncio.to_thread(_sha256, part) != expected:
                fix = f"delete it, and the next start downloads it again: {part}"
                found = f"{part.name} is not what its publisher offers: the checksum differs"
                return Check(name="checksum", status="fail", found=found, fix=fix, exit_code=ModelLoadError.exit_code)
        return Check(name="checksum", status="ok", found="as published")

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
        yield _tuning(answer)


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


def _header(file: ModelFile, n_ctx: int) -> Check:
    header = file.header
    found = f"{file.path}, {readable_size(file.size)}, GGUF {header.version}, {len(header.tensors)} tensors"
    trained = header.metadata.get(f"{header.metadata.get('general.architecture')}.context_length")
    if isinstance(trained, int) and n_ctx > trained:
        fix = f"set engine.n_ctx to {trained} or less, unless the model's page says how to stretch it (engine.rope)"
        found = f"{found}; trained for {trained} tokens, and n_ctx is {n_ctx}"
        return Check(name="model", status="warn", found=found, fix=fix)
    return Check(name="model", status="ok", found=found)


async def _talk(engine: Engine) -> AsyncIterator[Check]:
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


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
