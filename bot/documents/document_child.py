"""Reads one file in a process of its own, whose time and memory are limited: files come from anywhere."""

import argparse
import json
import resource
import sys

from bot.documents.refusal import Refusal

_DAMAGED = "it is damaged, or not what its name says"


def main() -> int:
    """Read the file on standard input, and print an object with its `text` and `pages`, or with a `refusal`."""
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=("text", "html", "email", "pdf"))
    parser.add_argument("--max-pages", type=int, required=True)
    parser.add_argument("--max-characters", type=int, required=True)
    parser.add_argument("--memory-mb", type=int, required=True)
    parser.add_argument("--cpu-s", type=int, required=True)
    options = parser.parse_args()
    _limit(options.memory_mb, options.cpu_s)
    answer: dict[str, str | int | None]
    try:
        text, pages = _read(options, sys.stdin.buffer.read())
        answer = {"text": text, "pages": pages}
    except Refusal as refusal:
        answer = {"refusal": str(refusal)}
    except MemoryError:
        answer = {"refusal": "reading it takes too much memory"}
    except Exception as error:  # noqa: BLE001 - libraries fail in any way on what they cannot read
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        answer = {"refusal": _DAMAGED}
    json.dump(answer, sys.stdout)
    return 0


def _read(options: argparse.Namespace, data: bytes) -> tuple[str, int | None]:
    # Imported by kind, and under the limits.
    if options.kind == "pdf":
        from bot.documents.pdf_text import pdf_text  # noqa: PLC0415

        return pdf_text(data, max_pages=options.max_pages, max_characters=options.max_characters)
    if options.kind == "email":
        from bot.documents.email_text import email_text  # noqa: PLC0415

        return email_text(data), None
    from bot.documents.plain_text import decode  # noqa: PLC0415

    text = decode(data)
    if text is None:
        raise Refusal("it is not a text file")
    if options.kind == "html":
        from bot.documents.html_text import html_text  # noqa: PLC0415

        return html_text(text), None
    return text, None


def _limit(memory_mb: int, cpu_s: int) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (memory_mb * 2**20, memory_mb * 2**20))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    sys.exit(main())
