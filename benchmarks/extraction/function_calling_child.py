"""llama-cpp-python's high-level API with its function-calling chat format: a request a line in, an answer out."""

import json
import sys
from typing import Any

import llama_cpp


def main() -> None:
    """Read requests until the input ends."""
    model, threads, n_ctx = sys.argv[1:]
    llama: Any = llama_cpp.Llama(
        model,
        n_ctx=int(n_ctx),
        n_threads=int(threads),
        n_threads_batch=int(threads),
        chat_format="chatml-function-calling",
        verbose=False,
    )
    tool = {"name": "extract"}
    for line in sys.stdin:
        request = json.loads(line)
        answer = llama.create_chat_completion(
            request["messages"],
            tools=[{"type": "function", "function": {**tool, "parameters": request["schema"]}}],
            tool_choice={"type": "function", "function": tool},
            temperature=0.0,
            max_tokens=request["max_tokens"],
        )
        text = answer["choices"][0]["message"]["tool_calls"][0]["function"]["arguments"]
        sys.stdout.write(json.dumps(text) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
