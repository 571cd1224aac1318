"""Another configuration is put into effect, whole or not at all."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from bot.backoff import Backoff
from bot.config import LoadedConfig, load
from bot.errors import ConfigError, HearthbotError, ModelLoadError
from bot.fleet import AdapterFactory, Fleet
from bot.live.reloader import LiveParts, Reloader
from bot.request import ChatMessage
from bot.settings import AdapterSettings, Configuration, EngineSettings, ModelSettings
from tests.support.config_files import RadioSettings
from tests.support.resident_adapter import ResidentAdapter
from tests.support.scripted_core import ScriptedCore
from tests.support.until import until

BASE = "engine: {n_ctx: 1024}\nadapters: {radio: {channel: 1}, tape: {channel: 1}}\n"


class FakeEngine:
    """Loads what it is told, as long as the test lets it."""

    def __init__(self, log: list[str]) -> None:
        self.log = log
        self.refusal: HearthbotError | None = None
        self.may_load = asyncio.Event()
        self.may_load.set()
        self.heads: list[str] = []

    async def reload(
        self, model: ModelSettings, engine: EngineSettings, *, personas: Sequence[Sequence[ChatMessage]]
    ) -> None:
        """Note the new size of the window."""
        await self.may_load.wait()
        if self.refusal is not None:
            raise self.refusal
        self.log.append(f"model {engine.n_ctx}")
        self.use_personas(personas)

    def use_personas(self, personas: Sequence[Sequence[ChatMessage]]) -> None:
        """Note how prompts begin."""
        self.heads = [head[0].content for head in personas]


class FakeChat:
    """Notes what it is given."""

    def __init__(self, log: list[str]) -> None:
        self.log = log
        self.applied: list[Configuration] = []

    async def apply(self, configuration: Configuration) -> None:
        """Note it."""
        self.log.append("chat")
        self.applied.append(configuration)


class World:
    """A reloader over a file, on fakes, with adapters that run."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "config.yaml"
        self.log: list[str] = []
        self.adapters: list[ResidentAdapter] = []
        self.applied: list[list[str]] = []
        self.logged_to: list[str | None] = []
        self.write(BASE)
        start = self.read()
        self.engine, self.chat = FakeEngine(self.log), FakeChat(self.log)
        self.fleet = Fleet(core=ScriptedCore(), backoff=Backoff(), notify=lambda _: None)
        self.reloader = Reloader(
            current=start,
            running=self.choose(start),
            load=self.read,
            choose=self.choose,
            factory=self.factory,
            log_to=lambda loaded: self.logged_to.append(loaded.settings.logging.level),
        )

    def write(self, text: str) -> None:
        """Save the file."""
        self.file.write_text(text)

    def read(self) -> LoadedConfig:
        """Read the file."""
        return load(self.file, environ={}, adapter_settings=lambda _: RadioSettings)

    @staticmethod
    def choose(loaded: LoadedConfig) -> dict[str, AdapterSettings]:
        """Run everything that is enabled."""
        chosen = {name: each for name, each in loaded.settings.adapters.items() if each.enabled}
        if not chosen:
            raise ConfigError("There is nobody to talk to")
        return chosen

    def factory(self, name: str, settings: AdapterSettings) -> AdapterFactory:
        """Make adapters that note their life."""

        def create(core: Any) -> ResidentAdapter:
            adapter = ResidentAdapter(name=name, settings=settings, core=core, log=self.log)
            self.adapters.append(adapter)
            return adapter

        return create

    async def up(self) -> None:
        """Start everything."""
        for name, settings in self.choose(self.reloader.current).items():
            self.fleet.start(name, self.factory(name, settings))
        self.reloader.attach(LiveParts(chat=self.chat, engine=self.engine, fleet=self.fleet, applied=self._applied))
        await until(lambda: len(self.adapters) >= 2 and all(each.up.is_set() for each in self.adapters))
        self.log.clear()

    async def _applied(self, adapters: Mapping[str, AdapterSettings]) -> None:
        self.applied.append(sorted(adapters))

    async def reload(self, text: str) -> str:
        """Save the file and put it into effect, to the last adapter."""
        self.write(text)
        done = str(await self.reloader.reload())
        await self.reloader.settled()
        await self.adapters[-1].up.wait()
        return done


@pytest.fixture
async def world(tmp_path: Path) -> Any:
    """Everything up."""
    made = World(tmp_path)
    await made.up()
    yield made
    await made.fleet.aclose()


async def test_nothing_different_touches_nothing(world: World) -> None:
    """A save without a change, or with other comments, is no event for anybody."""
    assert await world.reload(BASE + "# a comment\n") == "nothing is different"
    assert world.log == ["chat"]


async def test_chat_settings_do_not_touch_model_and_adapters(world: World) -> None:
    """Personas and the like go to the chat, and the engine reads the new starts of prompts ahead."""
    done = await world.reload(BASE + "personas: {pirate: {system_prompt: Arr.}}\ngeneration: {temperature: 0.1}\n")
    assert done == "changed: generation, personas, persona"
    assert world.log == ["chat"]
    assert world.engine.heads == ["Arr."]
    assert world.chat.applied[-1].generation.temperature == 0.1


async def test_the_model_is_loaded_before_the_chat_goes_on(world: World) -> None:
    """Only where its settings differ; how long a stop may take is none of them."""
    assert "loaded again: the model" in await world.reload(BASE.replace("1024", "2048"))
    assert world.log == ["model 2048", "chat"]
    world.log.clear()
    await world.reload(BASE.replace("1024", "2048, shutdown_timeout: 3"))
    assert world.log == ["chat"]
    assert world.reloader.current.settings.engine.shutdown_timeout == 3


async def test_a_model_that_cannot_be_loaded_leaves_everything(world: World) -> None:
    """The old configuration is in effect, its log too, and the next save is compared with it."""
    world.engine.refusal = ModelLoadError("no such file")
    text = "engine: {n_ctx: 2048}\npersonas: {pirate: {}}\nlogging: {level: debug}\nadapters: {radio: {channel: 2}}\n"
    with pytest.raises(ModelLoadError):
        await world.reload(text)
    assert world.log == []
    assert world.logged_to == ["debug", "info"]
    assert await world.reload(BASE) == "nothing is different"


async def test_only_the_adapter_that_differs_is_restarted(world: World) -> None:
    """It stops taking messages, closes, and a new one starts with the new section; the others do not notice."""
    assert await world.reload(BASE.replace("radio: {channel: 1}", "radio: {channel: 7}")) == "restarting: radio"
    assert world.log == ["chat", "drain radio", "close radio", "start radio"]
    assert getattr(world.adapters[-1].settings, "channel", None) == 7


async def test_adapters_come_and_go(world: World) -> None:
    """A section that is new is started, one that is gone or switched off is stopped."""
    assert "starting: extra" in await world.reload(BASE.replace("radio:", "extra: {channel: 3}, radio:"))
    assert world.log[-1] == "start extra"
    assert world.applied == [["extra", "radio", "tape"]]
    done = await world.reload(BASE.replace("radio: {channel: 1}", "radio: {channel: 1, enabled: false}"))
    assert done == "stopping: radio, extra"
    assert world.log[-4:] == ["drain radio", "close radio", "drain extra", "close extra"]
    assert world.fleet.failures == []


async def test_the_last_adapter_s_restart_is_not_the_end(world: World) -> None:
    """The daemon goes on although for a moment nothing runs."""
    ended = asyncio.create_task(world.fleet.wait())
    await world.reload(BASE.replace("channel: 1", "channel: 7"))
    assert not ended.done()
    for adapter in world.adapters[-2:]:
        await adapter.up.wait()
        adapter.left.set()
    await ended


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("engine: {n_ctxx: 5}\n", "config.yaml:1:10: engine.n_ctxx: unknown key"),
        ("engine: {\n", "config.yaml:2:1"),
        (BASE + "storage: {path: /elsewhere.db}\n", "storage.path: cannot be changed while the daemon runs"),
        ("adapters: {}\n", "There is nobody to talk to"),
    ],
)
async def test_what_is_wrong_changes_nothing(world: World, text: str, said: str) -> None:
    """The error has the line and the key, and says what to do; a later save is put into effect."""
    with pytest.raises(ConfigError, match=said):
        await world.reload(text)
    assert world.log == []
    assert await world.reload(BASE + "persona: hearth\n") == "nothing is different"


async def test_two_reloads_do_not_mix(world: World) -> None:
    """The second waits for the first, and reads the file when it is its turn."""
    world.engine.may_load.clear()
    first = asyncio.create_task(world.reload(BASE.replace("1024", "2048")))
    await until(lambda: world.logged_to)
    second = asyncio.create_task(world.reload(BASE.replace("1024", "4096")))
    await asyncio.sleep(0)
    world.engine.may_load.set()
    await asyncio.gather(first, second)
    assert world.log == ["model 2048", "chat", "model 4096", "chat"]


async def test_whoever_asked_may_leave(world: World) -> None:
    """A cancelled `/reload`, of an adapter that is restarted itself, does not stop the reload half way."""
    world.engine.may_load.clear()
    asking = asyncio.create_task(world.reload("engine: {n_ctx: 2048}\nadapters: {radio: {channel: 5}}\n"))
    await until(lambda: world.logged_to)
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    world.engine.may_load.set()
    await world.reloader.settled()
    await world.adapters[-1].up.wait()
    assert world.log == ["model 2048", "chat", "drain tape", "close tape", "drain radio", "close radio", "start radio"]


async def test_before_everything_is_up_there_is_nothing_to_change(tmp_path: Path) -> None:
    """It is said, and not tried."""
    with pytest.raises(ConfigError, match="still starting"):
        await World(tmp_path).reloader.reload()
