"""The clients of the API's benchmark, in a process of their own: their work is not the server's.

Reads lines of `URL STREAMS TOKENS NUMBER` and answers each with a line of JSON: for each stream the seconds to its
first byte of text, and the seconds to its first token as the engine counted them.
"""

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from urllib.parse import urlsplit


def stream(url: str, tokens: int, number: int) -> tuple[float, float]:
    """One reply, read to its end."""
    connection = HTTPConnection(urlsplit(url).netloc)
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


def main() -> None:
    """Serve the benchmark."""
    for line in sys.stdin:
        url, streams, tokens, number = line.split()
        with ThreadPoolExecutor(int(streams)) as threads:
            each = [threads.submit(stream, url, int(tokens), int(number) + index) for index in range(int(streams))]
            print(json.dumps([one.result() for one in each]), flush=True)


if __name__ == "__main__":
    main()
