"""What a file is, by its name and by what the platform says of it."""

from pathlib import PurePath
from typing import Literal

DocumentKind = Literal["text", "html", "email", "pdf", "image", "audio", "video", "binary"]
"""`text`: any text, code and data among it. `binary`: something that is known not to be text."""

_SUFFIXES: dict[str, DocumentKind] = {
    ".pdf": "pdf",
    ".html": "html",
    ".htm": "html",
    ".xhtml": "html",
    ".eml": "email",
    **dict.fromkeys((".png", ".jpg", ".jpeg", ".gif", ".webp", ".bmp", ".heic", ".tif", ".tiff"), "image"),
    **dict.fromkeys((".ogg", ".oga", ".opus", ".mp3", ".m4a", ".wav", ".flac", ".aac"), "audio"),
    **dict.fromkeys((".mp4", ".mov", ".mkv", ".webm", ".avi", ".m4v"), "video"),
    **dict.fromkeys((".docx", ".xlsx", ".pptx", ".odt", ".ods", ".doc", ".xls", ".ppt", ".epub"), "binary"),
    **dict.fromkeys((".zip", ".gz", ".xz", ".7z", ".rar", ".tar", ".exe", ".bin", ".so", ".gguf"), "binary"),
}
_TYPES: dict[str, DocumentKind] = {
    "application/pdf": "pdf",
    "text/html": "html",
    "application/xhtml+xml": "html",
    "message/rfc822": "email",
}


def kind_of(name: str, media_type: str) -> DocumentKind:
    """Judge by the media type where it says something, then by the suffix; what neither knows may be text."""
    essence = media_type.partition(";")[0].strip().casefold()
    known = _TYPES.get(essence)
    if known is not None:
        return known
    match essence.partition("/")[0]:
        case "image" if essence != "image/svg+xml":
            return "image"
        case "audio":
            return "audio"
        # Some systems take a TypeScript file for an MPEG transport stream.
        case "video" if PurePath(name).suffix.casefold() != ".ts":
            return "video"
    return _SUFFIXES.get(PurePath(name).suffix.casefold(), "text")
