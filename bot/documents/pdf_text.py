"""The text of PDF files."""

import io

from pypdf import PdfReader

from bot.documents.refusal import Refusal


def pdf_text(data: bytes, *, max_pages: int, max_characters: int) -> tuple[str, int]:
    """Text and number of pages. Raises `Refusal`, and whatever pypdf raises for a damaged file."""
    reader = PdfReader(io.BytesIO(data))
    if reader.is_encrypted and not reader.decrypt(""):
        raise Refusal("it is protected with a password")
    count = len(reader.pages)
    if count > max_pages:
        raise Refusal(f"it has {count:,} pages, and I read at most {max_pages:,}")
    pages: list[str] = []
    for page in reader.pages:
        pages.append(page.extract_text().strip())
        if sum(map(len, pages)) > max_characters:
            break  # what is read is refused for its length: no more of it is needed
    text = "\n\n".join(page for page in pages if page)
    if not text:
        raise Refusal("I find no text in it; it may be a scan, and I cannot see pictures yet")
    return text, count
