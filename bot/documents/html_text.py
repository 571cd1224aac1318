"""Web pages as Markdown."""

from markdownify import markdownify

_UNREAD = ("script", "style", "template", "noscript", "svg", "head")


def html_text(html: str) -> str:
    """Headings, lists, tables and links as Markdown, without scripts, styles and pictures."""
    from bs4 import BeautifulSoup  # noqa: PLC0415 - only a page pays for it

    soup = BeautifulSoup(html, "html.parser")
    for element in soup(_UNREAD):
        element.decompose()
    text = markdownify(str(soup), heading_style="ATX", strip=["img"])
    lines = [line.rstrip() for line in text.splitlines()]
    kept = [line for index, line in enumerate(lines) if line or (index and lines[index - 1])]
    return "\n".join(kept).strip()
