"""A server that speaks the little of the Hugging Face hub's protocol that downloads need."""

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit


@dataclass
class HubState:
    """What the server has, how it misbehaves, and what it was asked."""

    repo: str = "owner/model-GGUF"
    files: dict[str, bytes] = field(default_factory=dict)
    error: tuple[int, str, str] | None = None
    """Status, `X-Error-Code` and `X-Error-Message` of every answer."""
    break_after: int | None = None
    """Bytes of a body after which the connection is cut."""
    breaks_left: int = 0
    content_errors: list[int] = field(default_factory=list)
    """Statuses of the next answers to requests for content."""
    surplus: bytes = b""
    """Sent after the content."""
    ignores_range: bool = False
    requests: list[tuple[str, str, str | None, str | None]] = field(default_factory=list)
    """Method, path, Range and Authorization."""
    wrong_hash: bool = False


@contextmanager
def hub_server() -> Iterator[tuple[HubState, str]]:
    """The state and the address of a running server."""
    state = HubState()

    class Handler(_Handler):
        hub = state

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield state, f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    hub: HubState

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Nothing on the terminal."""

    def _answer(self) -> None:
        hub = self.hub
        path = unquote(urlsplit(self.path).path)
        hub.requests.append((self.command, path, self.headers["Range"], self.headers["Authorization"]))
        if hub.error is not None:
            self._refuse(*hub.error)
        elif self.command == "GET" and "/resolve/" in path and hub.content_errors:
            self._refuse(hub.content_errors.pop(0), "")
        elif path.startswith(f"/api/models/{hub.repo}/tree/"):
            self._send(json.dumps([{"type": "file", "path": n, "size": 1, "oid": "0"} for n in hub.files]).encode())
        elif path.startswith(f"/api/models/{hub.repo}"):
            body = {"id": hub.repo, "sha": "c" * 40, "siblings": [{"rfilename": name} for name in hub.files]}
            self._send(json.dumps(body).encode())
        elif not path.startswith(f"/{hub.repo}/resolve/"):
            self._refuse(404, "RepoNotFound")
        else:
            revision, _, name = path.removeprefix(f"/{hub.repo}/resolve/").partition("/")
            if revision not in {"main", "v2"}:
                self._refuse(404, "RevisionNotFound")
            elif name not in hub.files:
                self._refuse(404, "EntryNotFound")
            else:
                self._send_file(hub.files[name])

    def _refuse(self, status: int, code: str, message: str = "") -> None:
        self.send_response(status)
        self.send_header("X-Error-Code", code)
        self.send_header("X-Error-Message", message)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _send(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _send_file(self, data: bytes) -> None:
        hub = self.hub
        start = 0
        if self.headers["Range"] and not hub.ignores_range:
            start = int(self.headers["Range"].removeprefix("bytes=").rstrip("-"))
        self.send_response(206 if start else 200)
        self.send_header("X-Repo-Commit", "c" * 40)
        self.send_header("ETag", f'"{"0" * 64 if hub.wrong_hash else hashlib.sha256(data).hexdigest()}"')
        surplus = hub.surplus if self.command == "GET" else b""
        self.send_header("Content-Length", str(len(data) - start + len(surplus)))
        self.end_headers()
        if self.command == "GET":
            body = data[start:] + surplus
            if hub.breaks_left and hub.break_after is not None:
                hub.breaks_left -= 1
                body = body[: hub.break_after]
                self.close_connection = True
            self.wfile.write(body)
