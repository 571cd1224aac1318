"""Markdown as Telegram shows it: plain text, and entities beside it.

https://core.telegram.org/bots/api#messageentity. All offsets and lengths are in UTF-16 units, as there.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from urllib.parse import urlsplit

import pyromark
from telegram import MessageEntity
from telegramify_markdown import RenderConfig, convert, utf16_len
from telegramify_markdown.converter import STANDARD_OPTIONS
from telegramify_markdown.entity import MessageEntity as Span

LONGEST_TEXT = 4096
MOST_ENTITIES = 100
"""What comes after the hundredth is ignored there."""
_VERBATIM = frozenset({"code", "pre"})
_QUOTES = frozenset({"blockquote", "expandable_blockquote"})
_REMEMBERED = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """What is sent."""

    text: str
    entities: tuple[MessageEntity, ...] = ()

    @property
    def length(self) -> int:
        """As Telegram counts it."""
        return utf16_len(self.text)


class Renderer:
    """Renders any text, finished Markdown or not. What cannot be shown as formatting is shown as text; nothing is lost.

    Remembers the last few, because the core measures a text before it sends it.
    """

    def __init__(self) -> None:
        config = RenderConfig.isolated()
        symbols = config.markdown_symbol
        symbols.heading_level_1 = symbols.heading_level_2 = symbols.heading_level_3 = symbols.heading_level_4 = ""
        symbols.unordered_list_item = "\N{BULLET}"
        self._config = config
        self.render = lru_cache(maxsize=_REMEMBERED)(self._render)

    def length(self, markdown: str) -> int:
        """UTF-16 units of the rendered text."""
        return self.render(markdown).length

    @staticmethod
    def plain(text: str) -> Rendered:
        """The text as it is."""
        return Rendered(text=text.strip())

    def _render(self, markdown: str) -> Rendered:
        text, spans = convert(_without_html(markdown), latex_escape=False, config=self._config)
        text, spans = _with_addresses(text, spans)
        start = utf16_len(text) - utf16_len(text.lstrip())
        text = text.strip()
        if not text:
            return self.plain(markdown)  # an empty code block, or a heading whose words are still to come
        entities = [
            MessageEntity(type=each.type, offset=each.offset, length=each.length, url=each.url, language=each.language)
            for each in _nested_rightly(_clipped(spans, start, utf16_len(text)))
        ]
        return Rendered(text=text, entities=tuple(entities[:MOST_ENTITIES]))


def _without_html(markdown: str) -> str:
    """Escape what CommonMark takes for HTML: it would be left out, and a model that writes `<T>` means it."""
    while "<" in markdown:
        source = markdown.encode()
        found = [
            source.index(b"<", span["start"])
            for payload, span in pyromark.events_with_range(markdown, options=STANDARD_OPTIONS)
            if isinstance(payload, dict)
            and ("InlineHtml" in payload or payload.get("Start") == "HtmlBlock")
            and b"<" in source[span["start"] : span["end"]]
        ]
        if not found:
            break
        borders = [0, *found, len(source)]
        markdown = b"\\".join(source[a:b] for a, b in pairwise(borders)).decode()
    return markdown


def _with_addresses(text: str, spans: Iterable[Span]) -> tuple[str, list[Span]]:
    """Write out the addresses of links that Telegram refuses."""
    kept = [each for each in spans if each.type != "text_link" or _is_link(each.url)]
    refused = [each for each in spans if each.type == "text_link" and each.url and not _is_link(each.url)]
    units = text.encode("utf-16-le")
    for link in sorted(refused, key=lambda each: each.offset, reverse=True):
        end = link.offset + link.length
        address = f" ({link.url})"
        if units[link.offset * 2 : end * 2].decode("utf-16-le") == link.url:
            continue
        units = units[: end * 2] + address.encode("utf-16-le") + units[end * 2 :]
        added = utf16_len(address)
        for each in kept:
            if each.offset >= end:
                each.offset += added
            elif each.offset + each.length > end:
                each.length += added
    return units.decode("utf-16-le"), kept


def _is_link(url: str | None) -> bool:
    try:
        parts = urlsplit(url or "")
    except ValueError:
        return False
    if parts.scheme == "tg":
        return True
    host = parts.hostname or ""
    return parts.scheme in {"http", "https", "ftp"} and "." in host.strip(".") and " " not in (url or "")


def _clipped(spans: Iterable[Span], start: int, length: int) -> list[Span]:
    """Moved to where the text begins now, without what is outside it."""
    clipped = []
    for each in spans:
        begin, end = max(each.offset - start, 0), min(each.offset - start + each.length, length)
        if begin < end:
            clipped.append(each.copy_with(offset=begin, length=end - begin))
    return clipped


def _nested_rightly(spans: list[Span]) -> list[Span]:
    """Without those that break Telegram's rules about entities inside each other; the outer one stays.

    Code has no other formatting, unless it stands in a quotation or, then as a mere link, in a link.
    """
    kept: list[Span] = []
    for span in sorted(spans, key=lambda each: (each.offset, -each.length, each.type in _VERBATIM)):
        around = [each for each in kept if span.offset < each.offset + each.length]
        if any(_forbidden(each, span) for each in around):
            continue
        kept.append(span)
    verbatim = [each for each in kept if each.type in _VERBATIM]
    return [
        each
        for each in kept
        if each.type in _VERBATIM | _QUOTES | {"text_link"}
        or not any(
            each.offset < code.offset + code.length and code.offset < each.offset + each.length for code in verbatim
        )
    ]


def _forbidden(outer: Span, inner: Span) -> bool:
    if inner.offset + inner.length > outer.offset + outer.length:
        return True
    kinds = {outer.type, inner.type}
    if outer.type in _VERBATIM or outer.type == inner.type or kinds <= _QUOTES:
        return True
    return inner.type in _VERBATIM and outer.type == "text_link"
