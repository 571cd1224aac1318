import sys
from collections.abc import Callable
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from bot.adapter import Adapter
from bot.errors import ConfigError, MissingDependencyError
from bot.loader import BUILT_IN, AdapterLoader, BuiltInAdapter
from bot.settings import AdapterSettings

RADIO = """
from bot.adapter import Adapter
from bot.settings import AdapterSettings


class RadioSettings(AdapterSettings):
    channel: int = 1


class RadioAdapter(Adapter):
    settings_type = RadioSettings

    async def start(self): ...
    async def wait(self): ...
    async def drain(self): ...
    async def aclose(self): ...


class HalfAdapter(Adapter):
    settings_type = RadioSettings


class Unsettled(RadioAdapter):
    settings_type = dict
"""

Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Install a package with one module and one entry point, as pip would lay it out."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def _install(name: str, target: str, *, package: str = "radio", text: str = RADIO) -> None:
        info = tmp_path / f"hearthbot_{package}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: hearthbot-{package}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[hearthbot.adapters]\n{name} = {target}\n")
        module = target.partition(":")[0]
        (tmp_path / f"{module}.py").write_text(text)
        monkeypatch.delitem(sys.modules, module, raising=False)

    return _install


def _error(loader: AdapterLoader, name: str) -> str:
    with pytest.raises(ConfigError) as caught:
        loader.load(name)
    return str(caught.value)


def test_every_built_in_adapter_loads() -> None:
    """The table's names resolve to complete adapters with settings."""
    loader = AdapterLoader(installed=lambda: ())
    assert loader.names() == tuple(BUILT_IN)
    for name in loader.names():
        assert issubclass(loader.load(name), Adapter)
        assert issubclass(loader.settings_type(name), AdapterSettings)


def test_an_installed_package_adds_a_platform(install: Install) -> None:
    """An adapter of somebody else is found through its entry point, after the built-in ones."""
    install("radio", "radio_adapter:RadioAdapter")
    loader = AdapterLoader()
    assert loader.names() == (*BUILT_IN, "radio")
    assert loader.load("radio").__name__ == "RadioAdapter"
    assert loader.settings_type("radio").__name__ == "RadioSettings"


def test_an_unknown_name_is_answered_with_the_nearest(install: Install) -> None:
    """A typo is met with the known names."""
    install("radio", "radio_adapter:RadioAdapter")
    known = ", ".join((*BUILT_IN, "radio"))
    assert _error(AdapterLoader(), "Rado") == (f"there is no adapter called Rado; did you mean radio?; known: {known}")


def test_a_missing_sdk_names_the_extra() -> None:
    """The owner is told what to install."""
    table = {"telegram": BuiltInAdapter(target="no_such_sdk.bot:TelegramAdapter", extra="telegram")}
    loader = AdapterLoader(built_in=table, installed=lambda: ())
    with pytest.raises(MissingDependencyError) as caught:
        loader.load("telegram")
    assert "no_such_sdk is missing" in str(caught.value)
    assert "pip install 'hearthbot[telegram]'" in str(caught.value)


def test_a_package_with_a_missing_dependency_is_told_apart(install: Install) -> None:
    """Where no extra of ours can help, the package itself is named."""
    install("radio", "radio_adapter:RadioAdapter", text="import no_such_sdk")
    with pytest.raises(MissingDependencyError, match=r"radio is not installed completely \(no_such_sdk is missing\)"):
        AdapterLoader().load("radio")


@pytest.mark.parametrize(
    ("target", "text", "expected"),
    [
        ("radio_adapter:HalfAdapter", RADIO, "no complete subclass of bot.adapter.Adapter"),
        ("radio_adapter:RadioSettings", RADIO, "no complete subclass of bot.adapter.Adapter"),
        ("radio_adapter:Unsettled", RADIO, "its settings_type is no AdapterSettings"),
        ("radio_adapter:Absent", RADIO, "cannot be loaded: AttributeError"),
        ("radio_adapter:RadioAdapter", "1 / 0", "cannot be loaded: ZeroDivisionError"),
        ("radio_adapter:RadioAdapter", "def", "cannot be loaded: SyntaxError"),
    ],
)
def test_a_broken_package_is_an_error_of_the_configuration(
    install: Install, target: str, text: str, expected: str
) -> None:
    """Whatever is wrong with somebody else's adapter, the daemon says which one it is."""
    install("radio", target, text=text)
    error = _error(AdapterLoader(), "radio")
    assert error.startswith("the adapter radio ")
    assert expected in error


def test_two_packages_may_not_share_a_name(install: Install) -> None:
    """Which of two adapters is meant is never guessed."""
    install("radio", "radio_adapter:RadioAdapter", package="one")
    install("radio", "other_adapter:RadioAdapter", package="two")
    assert "more than one adapter is called radio" in _error(AdapterLoader(), "radio")
    taken = EntryPoint(name="console", value="radio_adapter:RadioAdapter", group="hearthbot.adapters")
    assert "more than one adapter is called console" in _error(AdapterLoader(installed=lambda: [taken]), "console")
