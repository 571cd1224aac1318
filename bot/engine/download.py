"""Fetches model files from the Hugging Face hub."""

import difflib
import re
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import httpx2
from filelock import AcquireReturnProxy, FileLock, Timeout
from huggingface_hub import HfApi, constants, get_hf_file_metadata, get_session, hf_hub_url
from huggingface_hub.errors import (
    FileMetadataError,
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    OfflineModeIsEnabled,
    RemoteEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.utils import build_hf_headers, hf_raise_for_status

from bot.engine.download_progress import DownloadProgress, readable_size
from bot.engine.partial_file import PartialFile, beside
from bot.errors import ModelLoadError

_METADATA_TIMEOUT_S = 10.0
_STREAM_TIMEOUT_S = 30.0
_ATTEMPTS = 6
_LONGEST_PAUSE_S = 30.0
_TEMPORARY = frozenset({408, 429})  # of the 4xx
_SHA256 = re.compile(r"[0-9a-f]{64}")
_UNREACHABLE = (httpx2.TransportError, OfflineModeIsEnabled, FileMetadataError)


@dataclass(frozen=True, slots=True)
class _RemoteFile:
    """A file as the hub describes it."""

    url: str
    etag: str
    """SHA-256 of the content, for large files."""
    size: int


class HubDownload:
    """Files of one repository, kept under `cache_dir` as `owner--name/revision/file`.

    A file gets its name only when all of it is there and its hash is right; until then it is `file.part`, which the
    next attempt goes on with, also after a restart. The hub is asked once a start whether there is a newer version;
    where it cannot be reached, what is there is used.
    """

    def __init__(
        self,
        *,
        repo: str,
        revision: str | None,
        token: str | None,
        cache_dir: Path,
        notify: Callable[[str], None],
        progress: DownloadProgress,
        endpoint: str | None = None,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        """`endpoint` is the hub's address where it is not Hugging Face's own; `pause` waits that many seconds."""
        self._repo = repo
        self._revision = revision or constants.DEFAULT_REVISION
        self._token = token
        self._folder = cache_dir / repo.replace("/", "--") / self._revision.replace("/", "--")
        self._notify = notify
        self._progress = progress
        self._endpoint = endpoint or constants.ENDPOINT
        self._pause = pause

    def fetch(self, name: str) -> Path:
        """The local path of the repository's file `name`, downloaded where needed.

        Raises `ModelLoadError` with what to do when it cannot be had.
        """
        if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
            raise ModelLoadError(f"model.file: {name} is not the name of a file in a repository")
        target = self._folder / name
        try:
            remote = self._describe(name)
        except ModelLoadError as error:
            if not target.exists():
                raise
            self._notify(f"using the copy of {name} that is already here, because {error}")
            return target
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with self._locked(target):
                if not self._is_current(target, remote):
                    self._download(target, remote)
        except OSError as error:
            raise ModelLoadError(
                f"{target} cannot be written: {error.strerror or error}. What has been downloaded is kept; put this "
                "right and start again."
            ) from error
        return target

    def _describe(self, name: str) -> _RemoteFile:
        """Ask the hub for a file; raises `ModelLoadError` that says why it cannot be had."""
        where = f"{self._endpoint}/{self._repo}"
        try:
            url = hf_hub_url(self._repo, name, revision=self._revision, endpoint=self._endpoint)
            found = get_hf_file_metadata(url, token=self._token, timeout=_METADATA_TIMEOUT_S, endpoint=self._endpoint)
        except HFValidationError as error:
            raise ModelLoadError(f"model.repo: {self._repo} is not a repository's name, such as owner/name") from error
        except GatedRepoError as error:
            raise ModelLoadError(
                f"{where} is gated: its owner wants you to agree to conditions. Agree on that page, create an access "
                f"token at {self._endpoint}/settings/tokens, put it into an environment variable and name that "
                "variable in model.hf_token_env"
            ) from error
        except RevisionNotFoundError as error:
            raise ModelLoadError(f"model.revision: {where} has no branch, tag or commit {self._revision}") from error
        except RemoteEntryNotFoundError as error:
            raise ModelLoadError(f"model.file: {where} has no file {name}{self._near(name)}") from error
        except RepositoryNotFoundError as error:
            raise ModelLoadError(
                f"model.repo: there is no {where}, or it is private. Check the name; a private one needs "
                "model.hf_token_env"
            ) from error
        except HfHubHTTPError as error:
            status = error.response.status_code
            hint = "; check the token in model.hf_token_env" if status in {401, 403} else "; try again later"
            raise ModelLoadError(f"{self._endpoint} answered with HTTP status {status}{hint}") from error
        except _UNREACHABLE as error:
            raise ModelLoadError(f"{self._endpoint} cannot be reached ({_reason(error)})") from error
        if found.etag is None or found.size is None:
            raise ModelLoadError(f"{self._endpoint} does not tell the size of {name}")
        return _RemoteFile(url=url, etag=found.etag, size=found.size)

    def _near(self, name: str) -> str:
        """The repository's files that could be meant; nothing where they cannot be had."""
        try:
            files = HfApi(endpoint=self._endpoint, token=self._token).list_repo_files(
                self._repo, revision=self._revision
            )
        except (HfHubHTTPError, *_UNREACHABLE):
            return ""
        models = [file for file in files if file.endswith(".gguf")]
        near = difflib.get_close_matches(name, models, n=5, cutoff=0.4) or models[:5]
        return f"; it has {', '.join(near)}" if near else "; it has no GGUF file at all"

    def _locked(self, target: Path) -> AcquireReturnProxy[FileLock]:
        """The right to write the file, which one process has at a time."""
        lock = FileLock(beside(target, ".lock"))
        try:
            return lock.acquire(timeout=0)
        except Timeout:
            self._notify(f"another process is downloading {target.name}; waiting for it")
            return lock.acquire()

    def _is_current(self, target: Path, remote: _RemoteFile) -> bool:
        try:
            return target.exists() and beside(target, ".etag").read_text() == remote.etag
        except FileNotFoundError:
            return False

    def _download(self, target: Path, remote: _RemoteFile) -> None:
        version = re.sub(r"\W", "", remote.etag)[:16]
        part = beside(target, f".{version}.part")
        for other in target.parent.glob(f"{target.name}.*.part"):
            if other != part:
                other.unlink()  # of a version that is no longer there
        if target.exists() and not beside(target, ".etag").exists():
            target.replace(part)  # a crash came between its name and its mark: check it again
        elif target.exists():
            self._notify(f"there is a newer version of {target.name}")
        free = shutil.disk_usage(target.parent).free
        with PartialFile(part) as partial:
            if partial.size > remote.size:
                partial.clear()
            missing = remote.size - partial.size
            if missing > free:
                raise ModelLoadError(
                    f"{target.name} needs {readable_size(missing)} and {target.parent} has only {readable_size(free)} "
                    "left. Make room, or choose a smaller model"
                )
            if missing:
                self._progress.begin(target.name, remote.size, partial.size)
                try:
                    self._receive(partial, remote)
                finally:
                    self._progress.end()
            digest = partial.finish()
        if _SHA256.fullmatch(remote.etag) and digest != remote.etag:
            part.unlink()
            raise ModelLoadError(f"{target.name} arrived damaged (its hash is wrong) and was deleted. Start again")
        beside(target, ".etag").unlink(missing_ok=True)
        part.replace(target)
        beside(target, ".etag").write_text(remote.etag)

    def _receive(self, partial: PartialFile, remote: _RemoteFile) -> None:
        """Append what is missing, in as many requests as it takes while some bring anything."""
        failures = 0
        while True:
            before = partial.size
            reason = self._request_rest(partial, remote)
            if partial.size == remote.size:
                return
            if partial.size > remote.size:
                partial.clear()
                raise ModelLoadError(f"{self._endpoint} sent more than it promised. Try again later")
            failures = failures + 1 if partial.size == before else 1
            if failures == _ATTEMPTS:
                raise ModelLoadError(
                    f"the download broke off ({reason}) at {readable_size(partial.size)} of "
                    f"{readable_size(remote.size)}. What is here is kept; start again to go on"
                )
            self._pause(min(2.0 ** (failures - 1), _LONGEST_PAUSE_S))

    def _request_rest(self, partial: PartialFile, remote: _RemoteFile) -> str:
        """One request for what is missing; returns why it ended."""
        headers = build_hf_headers(token=self._token) | {"Accept-Encoding": "identity"}
        if partial.size:
            headers["Range"] = f"bytes={partial.size}-"
        try:
            with get_session().stream(
                "GET", remote.url, headers=headers, timeout=_STREAM_TIMEOUT_S, follow_redirects=True
            ) as response:
                hf_raise_for_status(response)
                if partial.size and response.status_code != httpx2.codes.PARTIAL_CONTENT:  # the whole once more
                    self._progress.advance(-partial.size)
                    partial.clear()
                for chunk in response.iter_bytes():
                    partial.append(chunk)
                    self._progress.advance(len(chunk))
        except httpx2.TransportError as error:
            return _reason(error)
        except HfHubHTTPError as error:
            status = error.response.status_code
            if status < httpx2.codes.INTERNAL_SERVER_ERROR and status not in _TEMPORARY:
                raise ModelLoadError(f"{self._endpoint} refused {remote.url} with HTTP status {status}") from error
            return f"HTTP status {status}"
        return "the server sent less than it promised"


def _reason(error: Exception) -> str:
    """The innermost cause, which is the one a person understands."""
    while error.__cause__ is not None and isinstance(error.__cause__, Exception):
        error = error.__cause__
    return str(error) or type(error).__name__
