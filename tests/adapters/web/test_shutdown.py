"""How the API ends: replies under way may finish, then they are cut, and every client is told."""

import asyncio
import json
import signal
from pathlib import Path

import httpx2
import pytest

from tests.support.hearthbot_process import Hearthbot
from tests.support.page_server import KEY, PageServer, page_server

HELLO = {"messages": [{"role": "user", "content": "Hello"}]}
PATHS = {
    "/v1/chat/completions": HELLO,
    "/v1/completions": {"prompt": "Hello"},
    "/v1/responses": {"input": "Hello"},
}
WITH_KEY = {"authorization": f"Bearer {KEY}"}


async def stop(server: PageServer, timeout_s: float) -> None:
    """As the daemon does: both at the same time."""
    await asyncio.gather(server.adapter.drain(), server.core.drain(timeout_s))


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("path", PATHS)
async def test_a_reply_under_way_may_finish(tmp_path: Path, path: str, stream: bool) -> None:
    """It comes whole, and only then is the daemon done."""
    async with page_server(tmp_path / "web.db") as server, httpx2.AsyncClient(base_url=server.url) as client:
        reply = server.engine.enqueue("the end", held=True)
        asking = asyncio.create_task(client.post(path, json={**PATHS[path], "stream": stream}, headers=WITH_KEY))
        await reply.written.wait()
        stopping = asyncio.create_task(stop(server, 600))
        await asyncio.sleep(0)
        assert not stopping.done()
        reply.release()
        answer = await asking
        await stopping
    assert answer.status_code == 200
    assert "the end" in answer.text
    assert '"error":{' not in answer.text


@pytest.mark.parametrize("path", PATHS)
async def test_a_stream_that_takes_too_long_is_cut_and_says_so(tmp_path: Path, path: str) -> None:
    """The generation is cancelled; the stream ends in order, with an error as its last event."""
    async with page_server(tmp_path / "web.db") as server, httpx2.AsyncClient(base_url=server.url) as client:
        reply = server.engine.enqueue("half", held=True)
        asking = asyncio.create_task(client.post(path, json={**PATHS[path], "stream": True}, headers=WITH_KEY))
        await reply.written.wait()
        await stop(server, 0)
        assert reply.cancelled.is_set()
        answer = await asking
    assert answer.status_code == 200
    last = [json.loads(line[6:]) for line in answer.text.splitlines() if line.startswith("data: {")][-1]
    assert "stopped" in json.dumps(last)


async def test_a_whole_answer_that_takes_too_long_is_refused(tmp_path: Path) -> None:
    """With a status that says that another try will help; what waits in the line is told so, too."""
    async with page_server(tmp_path / "web.db") as server, httpx2.AsyncClient(base_url=server.url) as client:
        reply = server.engine.enqueue("half", held=True)
        asking = asyncio.create_task(client.post("/v1/chat/completions", json=HELLO, headers=WITH_KEY))
        await reply.written.wait()
        await stop(server, 0)
        answer = await asking
    assert reply.cancelled.is_set()
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "stopped")
    assert answer.headers["retry-after"] == "5"


async def test_after_the_cut_nothing_begins(tmp_path: Path) -> None:
    """What comes between the cut and the end is refused before the model is asked."""
    async with page_server(tmp_path / "web.db") as server, httpx2.AsyncClient(base_url=server.url) as client:
        reply = server.engine.enqueue("half", held=True)
        asking = asyncio.create_task(client.post("/v1/chat/completions", json=HELLO, headers=WITH_KEY))
        await reply.written.wait()
        await server.core.drain(0)
        late = await client.post("/v1/chat/completions", json=HELLO, headers=WITH_KEY)
        await asking
    assert (late.status_code, late.json()["error"]["code"]) == (503, "stopped")
    assert len(server.engine.history) == 1


def test_the_daemon_ends_on_a_signal_while_a_program_reads(hearthbot: Hearthbot) -> None:
    """After `shutdown_timeout` the stream has its error event, the connection its end, and the process exits with 0."""
    hearthbot.configure(
        "engine: {n_ctx: 2048, max_parallel: 1, n_threads: 1, tune: off, shutdown_timeout: 0}\n"
        "adapters: {web: {port: 0}, console: {enabled: false}}\n"
    )
    process = hearthbot.start("run")
    try:
        assert process.stderr is not None
        announced = next(line for line in process.stderr if line.startswith("web: "))
        url = announced.split()[1].rstrip(",")
        body = {**HELLO, "stream": True, "max_tokens": 1900, "logit_bias": {"2": -100}}
        with httpx2.Client(timeout=60) as client, client.stream("POST", f"{url}/v1/chat/completions", json=body) as got:
            lines = got.iter_lines()
            assert next(lines).startswith("data: {")
            process.send_signal(signal.SIGTERM)
            events = [line for line in lines if line.startswith("data: ")]
        assert json.loads(events[-1][6:])["error"]["code"] == "stopped"
        assert process.wait() == 0
    finally:
        process.kill()
        process.communicate()
