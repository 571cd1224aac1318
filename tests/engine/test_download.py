"""Downloads from the hub, against a real server on this machine."""

import logging
import shutil
import threading
from collections import namedtuple
from collections.abc import Callable, Iterator
from pathlib import Path

import huggingface_hub
import pytest

from bot.engine.download import HubDownload
from bot.engine.download_progress import LineProgress
from bot.errors import ModelLoadError
from tests.support.hub_server import HubState, hub_server

DATA = bytes(range(256)) * 4096  # one MiB
NAME = "model.Q4_K_M.gguf"
TOKEN = "hf_secretsecretsecret"  # noqa: S105 - opens nothing


def press_ctrl_c(seconds: float) -> None:
    """What the owner does while a download waits."""
    raise KeyboardInterrupt


class Fixture:
    """A hub, a cache folder and what was told to the owner."""

    def __init__(self, hub: HubState, endpoint: str, cache_dir: Path) -> None:
        self.hub = hub
        self.endpoint = endpoint
        self.cache_dir = cache_dir
        self.lines: list[str] = []
        self.pauses: list[float] = []

    def fetch(
        self,
        name: str = NAME,
        *,
        revision: str | None = None,
        repo: str | None = None,
        pause: Callable[[float], None] | None = None,
    ) -> Path:
        """Download with a fresh client."""
        download = HubDownload(
            repo=repo or self.hub.repo,
            revision=revision,
            token=TOKEN,
            cache_dir=self.cache_dir,
            notify=self.lines.append,
            progress=LineProgress(self.lines.append),
            endpoint=self.endpoint,
            pause=pause or self.pauses.append,
        )
        return download.fetch(name)

    def gets(self) -> list[str | None]:
        """The `Range` of every request for content."""
        return [span for method, path, span, _ in self.hub.requests if method == "GET" and "/resolve/" in path]


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Fixture]:
    """A hub with one file. The real home folder is out of reach."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with hub_server() as (hub, endpoint):
        hub.files = {NAME: DATA, "model.Q8_0.gguf": b"x", "README.md": b"x"}
        yield Fixture(hub, endpoint, tmp_path / "cache")
        huggingface_hub.close_session()


def test_first_download(world: Fixture) -> None:
    """A file is downloaded whole, under the given folder, and the owner sees it coming."""
    path = world.fetch()
    assert path.read_bytes() == DATA
    assert path.is_relative_to(world.cache_dir)
    assert world.lines[0] == f"downloading {NAME}: 1.0 MiB"
    assert world.lines[-1] == f"downloading {NAME}: 100% of 1.0 MiB"
    assert not list(world.cache_dir.rglob("*.part"))


def test_second_start(world: Fixture) -> None:
    """What is there and current is not downloaded again."""
    first = world.fetch()
    assert world.fetch() == first
    assert world.gets() == [None]


def test_connection_breaks(world: Fixture) -> None:
    """A broken connection is taken up where it broke, with growing pauses only while nothing comes."""
    world.hub.break_after, world.hub.breaks_left = 300_000, 2
    assert world.fetch().read_bytes() == DATA
    assert world.gets() == [None, "bytes=300000-", "bytes=600000-"]
    assert world.pauses == [1.0, 1.0]


def test_resumed_by_the_next_start(world: Fixture) -> None:
    """A download that had to give up is gone on with by the next start, and the whole is checked."""
    world.hub.break_after, world.hub.breaks_left = 300_000, 1

    with pytest.raises(KeyboardInterrupt):
        world.fetch(pause=press_ctrl_c)
    assert world.fetch().read_bytes() == DATA
    assert world.gets() == [None, "bytes=300000-"]
    assert f"downloading {NAME}: 1.0 MiB, 293.0 KiB of it already here" in world.lines


def test_server_without_ranges(world: Fixture) -> None:
    """A server that sends the whole file again does not spoil it."""
    world.hub.break_after, world.hub.breaks_left, world.hub.ignores_range = 300_000, 1, True
    assert world.fetch().read_bytes() == DATA


def test_no_progress(world: Fixture) -> None:
    """A server that never sends anything is given up in the end, with what to do."""
    world.hub.break_after, world.hub.breaks_left = 0, 100
    with pytest.raises(ModelLoadError, match=r"broke off .* at 0 bytes of 1\.0 MiB.*start again"):
        world.fetch()
    assert world.pauses == [1.0, 2.0, 4.0, 8.0, 16.0]


def test_hub_stumbles(world: Fixture) -> None:
    """Answers that say "later" are waited out; one that says no ends the download."""
    world.hub.content_errors = [503, 429]
    assert world.fetch().read_bytes() == DATA
    assert world.pauses == [1.0, 2.0]
    world.hub.content_errors = [410]
    with pytest.raises(ModelLoadError, match=r"refused .* with HTTP status 410"):
        world.fetch("model.Q8_0.gguf")


def test_more_than_promised(world: Fixture) -> None:
    """A server that sends more than the file's size is not believed, and nothing of it is kept."""
    world.hub.surplus = b"x"
    with pytest.raises(ModelLoadError, match="more than it promised"):
        world.fetch()
    world.hub.surplus = b""
    assert world.fetch().read_bytes() == DATA
    assert world.gets() == [None, None]


def test_new_version_while_half_is_here(world: Fixture) -> None:
    """Half of a version that is no longer there is deleted, not gone on with."""
    world.hub.break_after, world.hub.breaks_left = 300_000, 1
    with pytest.raises(KeyboardInterrupt):
        world.fetch(pause=press_ctrl_c)
    world.hub.files[NAME] = DATA[::-1]
    assert world.fetch().read_bytes() == DATA[::-1]
    assert world.gets() == [None, None]
    assert not list(world.cache_dir.rglob("*.part"))


def test_damaged_on_the_way(world: Fixture) -> None:
    """A file whose hash is wrong is not kept under its name, nor gone on with."""
    world.hub.wrong_hash = True
    with pytest.raises(ModelLoadError, match="arrived damaged"):
        world.fetch()
    world.hub.wrong_hash = False
    assert world.fetch().read_bytes() == DATA


def test_damaged_part(world: Fixture) -> None:
    """A part that was spoiled on the disk is found out by the hash."""
    world.hub.break_after, world.hub.breaks_left = 300_000, 100
    world.hub.break_after = 0
    with pytest.raises(ModelLoadError, match="broke off"):
        world.fetch()
    (part,) = world.cache_dir.rglob("*.part")
    part.write_bytes(b"x" * 1000)
    world.hub.breaks_left = 0
    with pytest.raises(ModelLoadError, match="arrived damaged"):
        world.fetch()
    assert world.fetch().read_bytes() == DATA


def test_newer_version(world: Fixture) -> None:
    """A newer version replaces the old one when it is complete; until then the old one stays."""
    world.fetch()
    world.hub.files[NAME] = DATA[::-1]
    world.hub.break_after, world.hub.breaks_left = 0, 6
    with pytest.raises(ModelLoadError, match="broke off"):
        world.fetch()
    world.hub.error = (503, "", "")
    assert world.fetch().read_bytes() == DATA
    world.hub.error = None
    assert world.fetch().read_bytes() == DATA[::-1]
    assert f"there is a newer version of {NAME}" in world.lines


def test_crash_before_the_mark(world: Fixture) -> None:
    """A file that a crash left without its mark is checked again, not downloaded again."""
    path = world.fetch()
    path.with_name(f"{NAME}.etag").unlink()
    assert world.fetch().read_bytes() == DATA
    assert world.gets() == [None]


@pytest.mark.parametrize("error", [(503, "", ""), (401, "GatedRepo", ""), (404, "RepoNotFound", "")])
def test_hub_fails_but_a_copy_is_here(world: Fixture, error: tuple[int, str, str]) -> None:
    """Whatever the hub's trouble, a copy that is here is used, and the owner is told why."""
    first = world.fetch()
    world.hub.error = error
    assert world.fetch() == first
    assert world.lines[-1].startswith(f"using the copy of {NAME} that is already here, because ")


def test_offline(tmp_path: Path) -> None:
    """Without the network a copy that is here is used, and without a copy the error says so."""
    with hub_server() as (hub, endpoint):
        hub.files = {NAME: DATA}
        world = Fixture(hub, endpoint, tmp_path)
        world.fetch()
    huggingface_hub.close_session()
    assert world.fetch().read_bytes() == DATA
    assert "cannot be reached" in world.lines[-1]
    with pytest.raises(ModelLoadError, match="cannot be reached"):
        world.fetch("other.gguf")
    huggingface_hub.close_session()


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        ((403, "GatedRepo", ""), r"is gated.*model\.hf_token_env"),
        ((401, "RepoNotFound", ""), r"model\.repo: there is no .*owner/model-GGUF, or it is private"),
        ((401, "", "Invalid credentials in Authorization header"), r"HTTP status 401; check the token in model\.hf"),
        ((500, "", ""), "HTTP status 500; try again later"),
    ],
)
def test_refusals(world: Fixture, error: tuple[int, str, str], reason: str) -> None:
    """What the hub refuses is told in the owner's terms: the key, and what to do."""
    world.hub.error = error
    with pytest.raises(ModelLoadError, match=reason):
        world.fetch()


def test_unknown_file(world: Fixture) -> None:
    """A file that the repository does not have is told with those that it has."""
    with pytest.raises(
        ModelLoadError, match=r"model\.file: .* has no file model-Q4_K_M\.gguf; it has model\.Q4_K_M\.gguf"
    ):
        world.fetch("model-Q4_K_M.gguf")


def test_unknown_revision(world: Fixture) -> None:
    """A revision that does not exist is told with its key; one that does is kept apart from the others."""
    with pytest.raises(ModelLoadError, match=r"model\.revision: .* no branch, tag or commit v9"):
        world.fetch(revision="v9")
    assert world.fetch(revision="v2") != world.fetch()


def test_unusable_names(world: Fixture) -> None:
    """Names that are no repository or that lead out of the folder are refused before anything is asked."""
    with pytest.raises(ModelLoadError, match=r"model\.repo: a b/c is not a repository's name"):
        world.fetch(repo="a b/c")
    for name in ("../x.gguf", "/etc/x.gguf"):
        with pytest.raises(ModelLoadError, match=r"model\.file: .* is not the name of a file"):
            world.fetch(name)
    assert not world.hub.requests


def test_disk_too_small(world: Fixture, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that does not fit the disk is refused before it is downloaded, with both sizes."""
    usage = namedtuple("usage", "total used free")  # noqa: PYI024 - as the library's
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(1, 1, 1000))
    with pytest.raises(ModelLoadError, match=r"needs 1\.0 MiB and .* has only 1000 bytes left"):
        world.fetch()
    assert world.gets() == []


def test_folder_cannot_be_written(world: Fixture) -> None:
    """A cache folder that cannot be made is told with its path."""
    world.cache_dir.write_text("a file is in the way")
    with pytest.raises(ModelLoadError, match="cannot be written"):
        world.fetch()


def test_two_processes(world: Fixture) -> None:
    """Two that want the same file at once download it once."""
    barrier = threading.Barrier(2)
    paths: list[Path] = []

    def run() -> None:
        barrier.wait()
        paths.append(world.fetch())

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [path.read_bytes() for path in paths] == [DATA, DATA]
    assert world.gets() == [None]


def test_token_stays_secret(world: Fixture, caplog: pytest.LogCaptureFixture) -> None:
    """The token goes to the hub and nowhere else: not to the log, not to the owner's lines, not into errors."""
    caplog.set_level(logging.DEBUG)
    world.fetch()
    assert {token for *_, token in world.hub.requests} == {f"Bearer {TOKEN}"}
    world.hub.error = (401, "", "")
    with pytest.raises(ModelLoadError) as caught:
        world.fetch("other.gguf")
    told = [caplog.text, *world.lines, str(caught.value), *(str(p) for p in world.cache_dir.rglob("*"))]
    assert not any(TOKEN in text for text in told)
