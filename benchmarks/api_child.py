"""The clients of the API's benchmark, in a process of their own: their work is not the server's.

Reads lines and answers each with a line of JSON. `stream URL STREAMS TOKENS NUMBER`: for each stream the seconds to its
first byte of text, and the seconds to its first token as the engine counted them. `connect URL COUNT`: how many of so
many connections, each with half a request, stay open; they do until the next line.
"""

import json
import socket
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from http.client import HTTPConnection
from urllib.parse import urlsplit

SILENCE_S = 60
"""Seconds without a byte after which a reply is given up."""
SETTLE_S = 1.0
"""Seconds in which the server may turn connections away."""


def stream(url: str, tokens: int, number: int) -> tuple[float, float]:
    """One reply, read to its end."""
    connection = HTTPConnection(urlsplit(url).netloc, timeout=SILENCE_S)
    body = {
        "messages": [{"role": "user", "content": f"Tell me a long story about the number {number}."}],
        "stream": True,
        "max_tokens": tokens,
        "logit_bias": {"2": -100},  # the demo model's end of a turn: every reply has its full length
    }
    connection.connect()
    started = time.perf_counter()
    connection.request("POST", "/v1/chat/completions", json.dumps(body), {"content-type": "application/json"})
    response = connection.getresponse()
    first, engine_s = None, 0.0
    while line := response.readline():
        if not line.startswith(b"data: {"):
            continue
        first = first or time.perf_counter() - started
        if b'"timings"' in line:
            engine_s = json.loads(line[6:])["timings"]["ttft_ms"] / 1000
    connection.close()
    if first is None:
        raise RuntimeError("nothing was streamed")
    return first, engine_s


def streams(url: str, count: int, tokens: int, number: int) -> list[tuple[float, float]]:
    """Several at the same time."""
    with ThreadPoolExecutor(count) as threads:
        each = [threads.submit(stream, url, tokens, number + index) for index in range(count)]
        return [one.result() for one in each]


def connect(stack: ExitStack, url: str, count: int) -> int:
    """Open connections that ask for nothing yet, until the stack is closed; how many of them the server keeps."""
    place = urlsplit(url)
    opened = [
        stack.enter_context(socket.create_connection((place.hostname or "", place.port or 0), timeout=SILENCE_S))
        for _ in range(count)
    ]
    time.sleep(SETTLE_S)
    kept = 0
    for each in opened:
        each.setblocking(False)
        try:
            each.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\n")
            each.recv(1)  # a refusal, or the end
        except BlockingIOError:
            kept += 1
        except ConnectionError:
            pass
    return kept


def main() -> None:
    """Serve the benchmark."""
    with ExitStack() as stack:
        for line in sys.stdin:
            stack.close()
            what, url, *numbers = line.split()
            given = [int(each) for each in numbers]
            print(json.dumps(streams(url, *given) if what == "stream" else connect(stack, url, *given)), flush=True)


if __name__ == "__main__":
    main()
