"""Long code of an answer as files, which read and copy better than messages."""

from collections.abc import Iterator

from bot.chat.splitting.block_scan import BlockScan

_SUFFIXES = {
    "bash": "sh",
    "c++": "cpp",
    "csharp": "cs",
    "dockerfile": "Dockerfile",
    "golang": "go",
    "haskell": "hs",
    "javascript": "js",
    "kotlin": "kt",
    "makefile": "mk",
    "markdown": "md",
    "perl": "pl",
    "plaintext": "txt",
    "powershell": "ps1",
    "python": "py",
    "python3": "py",
    "ruby": "rb",
    "rust": "rs",
    "shell": "sh",
    "text": "txt",
    "typescript": "ts",
    "yml": "yaml",
}
_LONGEST_SUFFIX = 8


def code_files(text: str, longer_than: int) -> Iterator[tuple[str, bytes]]:
    """Name and content of every block of code with more characters than that."""
    number = 0
    code: list[str] = []
    info = ""
    for line in BlockScan(text).lines():
        if line.kind == "fence_open":
            code, info = [], text[line.start : line.end].strip("> \n`~-*+.)0123456789")
        elif line.kind == "code" and line.fence is not None:
            code.append(text[line.start + len(line.quote) : line.end])
        elif line.kind == "fence_close" and sum(map(len, code)) > longer_than:
            number += 1
            yield f"code-{number}.{_suffix(info)}", "".join(code).encode("utf-8", "replace")


def _suffix(info: str) -> str:
    language = info.split(maxsplit=1)[0].casefold() if info.split() else ""
    suffix = _SUFFIXES.get(language, language)
    return suffix if suffix.isalnum() and suffix.isascii() and len(suffix) <= _LONGEST_SUFFIX else "txt"
