import os
from pathlib import Path

import pytest

from bot.config import load
from bot.errors import ConfigError
from bot.settings import Configuration
from tests.support.config_files import RadioSettings, adapter_settings, read


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current folder and an empty XDG configuration folder."""
    folder = tmp_path / "cwd"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))
    return folder


def test_defaults_without_a_file(elsewhere: Path) -> None:
    """Without any file the built-in defaults hold, and every source says so."""
    loaded = load(None, environ={}, adapter_settings=adapter_settings)
    assert loaded.settings == Configuration()
    assert loaded.path is None
    assert set(loaded.sources.values()) == {"default"}


@pytest.mark.parametrize(
    "text", ["", "# nothing but a comment\n", "---\n", "null\n", "engine:\nadapters:\npersonas:\n"]
)
def test_an_empty_file_is_the_defaults(tmp_path: Path, text: str) -> None:
    """A file, or a section, that has nothing but comments is as good as none."""
    assert read(tmp_path, text).settings == Configuration()


def test_search_order(elsewhere: Path, tmp_path: Path) -> None:
    """A given file comes before the one in the current folder, and that before the user's."""
    user = tmp_path / "xdg" / "hearthbot" / "config.yaml"
    user.parent.mkdir(parents=True)
    user.write_text("engine: {n_ctx: 1000}")
    given = tmp_path / "given.yaml"
    given.write_text("engine: {n_ctx: 3000}")

    def n_ctx(path: Path | None) -> int:
        return load(path, environ={}, adapter_settings=adapter_settings).settings.engine.n_ctx

    assert n_ctx(None) == 1000
    (elsewhere / "config.yaml").write_text("engine: {n_ctx: 2000}")
    assert n_ctx(None) == 2000
    assert n_ctx(given) == 3000


def test_a_given_file_must_exist(elsewhere: Path) -> None:
    """A file that was asked for is not replaced by another one."""
    (elsewhere / "config.yaml").write_text("")
    with pytest.raises(ConfigError, match=r"^nope\.yaml: there is no such file"):
        load(Path("nope.yaml"), environ={}, adapter_settings=adapter_settings)


def test_folders_and_broken_links_are_refused(elsewhere: Path) -> None:
    """What is called config.yaml but cannot be read is an error, never passed over."""
    (elsewhere / "config.yaml").symlink_to("gone")
    with pytest.raises(ConfigError, match="there is no such file"):
        load(None, environ={}, adapter_settings=adapter_settings)
    with pytest.raises(ConfigError, match="this is a folder"):
        load(elsewhere, environ={}, adapter_settings=adapter_settings)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_file_is_refused(elsewhere: Path) -> None:
    """A file without read permission is an error that says so."""
    (elsewhere / "config.yaml").touch(mode=0)
    with pytest.raises(ConfigError, match="may not be read by this user"):
        load(None, environ={}, adapter_settings=adapter_settings)


def test_devices_do_not_fill_the_memory(elsewhere: Path) -> None:
    """Reading stops at a size that no configuration has."""
    with pytest.raises(ConfigError, match="larger than 1 MiB"):
        load(Path("/dev/zero"), environ={}, adapter_settings=adapter_settings)


def test_sources_name_file_and_line(tmp_path: Path) -> None:
    """Each value is traced to its line, also through merge keys and lists."""
    sources = read(
        tmp_path,
        "engine:\n"
        "  n_ctx: 2048\n"
        "personas:\n"
        "  a: &a\n"
        "    description: first\n"
        "    examples:\n"
        "      - user: hi\n"
        "        assistant: hello\n"
        "  b:\n"
        "    <<: *a\n"
        "    name: B\n",
    ).sources
    assert sources["engine.n_ctx"] == f"{tmp_path}/config.yaml:2"
    assert sources["engine.n_batch"] == "default"
    assert sources["personas.a.examples[0].assistant"] == f"{tmp_path}/config.yaml:8"
    assert sources["personas.b.description"] == f"{tmp_path}/config.yaml:5"
    assert sources["personas.b.name"] == f"{tmp_path}/config.yaml:11"


def test_the_same_section_may_be_written_once_and_merged(tmp_path: Path) -> None:
    """Anchors and merge keys work; a section's own keys win over merged ones, earlier merged ones over later."""
    personas = read(
        tmp_path,
        "personas:\n"
        "  a: &a {description: A, welcome_message: from a}\n"
        "  b: &b {description: B, name: from b}\n"
        "  c: {<<: [*a, *b], welcome_message: own}\n",
    ).settings.personas
    assert (personas["c"].description, personas["c"].name, personas["c"].welcome_message) == ("A", "from b", "own")


def test_words_that_yaml_reads_as_booleans(tmp_path: Path) -> None:
    """`off` is what it says where the key has such a word."""
    settings = read(tmp_path, "generation: {reasoning: off}\nengine: {probe: Off, flash_attn: off}").settings
    assert settings.generation.reasoning == "off"
    assert settings.engine.probe == "off"
    assert settings.engine.flash_attn is False


def test_numbers_as_people_write_them(tmp_path: Path) -> None:
    """Whole numbers where any will do, exponents without a point, and digits in groups."""
    settings = read(
        tmp_path, "generation: {temperature: 1, min_p: 1e-3, top_p: .5}\nengine: {n_ctx: 8_192, n_threads: 0x4}"
    ).settings
    assert (settings.generation.temperature, settings.generation.min_p, settings.generation.top_p) == (1.0, 0.001, 0.5)
    assert (settings.engine.n_ctx, settings.engine.n_threads) == (8192, 4)


def test_text_that_only_looks_like_something_else(tmp_path: Path) -> None:
    """Times, dates and numbers with leading zeros stay text."""
    settings = read(
        tmp_path, "personas: {a: {name: 12:30:00, description: 2024-01-01, welcome_message: 0123}}"
    ).settings
    persona = settings.personas["a"]
    assert (persona.name, persona.description, persona.welcome_message) == ("12:30:00", "2024-01-01", "0123")


def test_a_byte_order_mark_is_no_part_of_the_file(tmp_path: Path) -> None:
    """Files from an editor that writes a byte order mark load."""
    assert read(tmp_path, b"\xef\xbb\xbfengine: {n_ctx: 2048}").settings.engine.n_ctx == 2048


def test_own_personas_replace_the_built_in_one(tmp_path: Path) -> None:
    """The first persona of the file is the default one, and `prompt_start` is understood."""
    settings = read(tmp_path, "personas:\n  zoe: {prompt_start: Be Zoe.}\n  adam: {}\n").settings
    assert list(settings.personas) == ["zoe", "adam"]
    assert settings.persona == "zoe"
    assert settings.personas["zoe"].system_prompt == "Be Zoe."


def test_adapters_are_validated_by_their_own_models(tmp_path: Path) -> None:
    """An adapter's section becomes its own settings class."""
    radio = read(tmp_path, "adapters: {radio: {channel: 3}}").settings.adapters["radio"]
    assert radio == RadioSettings(channel=3)


def test_an_adapter_that_is_off_needs_neither_packages_nor_secrets(tmp_path: Path) -> None:
    """A section can stay in place while its adapter is out."""
    adapters = read(
        tmp_path,
        "adapters:\n  pager: {enabled: false, number: 5}\n  radio: {enabled: false, channel: 1, token_env: NOT_SET}\n",
    ).settings.adapters
    assert [adapter.enabled for adapter in adapters.values()] == [False, False]
