"""What the Bot API demands of a text and its entities.

https://core.telegram.org/bots/api#messageentity and `#formatting-options`. The real server repairs some of what is
refused here, such as overlapping entities; a bot that keeps to these rules is right either way.
"""

from itertools import combinations
from typing import Any
from urllib.parse import urlsplit

from tests.support.bot_api.api_error import bad_request

LONGEST_TEXT = 4096
LONGEST_CAPTION = 1024
MOST_ENTITIES = 100
SENDABLE = {
    "bold",
    "italic",
    "underline",
    "strikethrough",
    "spoiler",
    "blockquote",
    "expandable_blockquote",
    "code",
    "pre",
    "text_link",
    "text_mention",
    "custom_emoji",
}
QUOTES = {"blockquote", "expandable_blockquote"}
VERBATIM = {"code", "pre"}


def utf16_length(text: str) -> int:
    """In the units that Telegram counts."""
    return len(text.encode("utf-16-le")) // 2


def check_text(text: str, entities: list[dict[str, Any]], *, limit: int, editing: bool = False) -> None:
    """Raise `ApiError` for what cannot be sent."""
    if not text.strip():
        raise bad_request("message text is empty")
    if utf16_length(text) > limit:
        raise bad_request("MESSAGE_TOO_LONG" if editing else "message is too long")
    check_entities(text, entities)


def check_entities(text: str, entities: list[dict[str, Any]]) -> None:
    """Raise `ApiError` for entities that are malformed, out of place or nested against the rules."""
    if len(entities) > MOST_ENTITIES:
        raise bad_request(f"too many entities ({len(entities)})")
    borders = _borders(text)
    for entity in entities:
        start, end = entity.get("offset"), entity.get("offset", 0) + entity.get("length", 0)
        if entity.get("type") not in SENDABLE:
            raise bad_request(f"can't parse MessageEntity: unknown type {entity.get('type')}")
        if start not in borders or end not in borders or start >= end:
            raise bad_request(f"can't parse MessageEntity: wrong place {start}-{end} of {utf16_length(text)}")
        if entity["type"] == "text_link" and not _is_link(entity.get("url", "")):
            raise bad_request(f"can't parse MessageEntity: wrong URL {entity.get('url')!r}")
        if entity["type"] != "pre" and "language" in entity:
            raise bad_request("can't parse MessageEntity: only pre has a language")
    for one, other in combinations(entities, 2):
        _check_pair(one, other)


def _check_pair(one: dict[str, Any], other: dict[str, Any]) -> None:
    outer, inner = sorted((one, other), key=lambda each: (each["offset"], -each["length"]))
    outer_end, inner_end = outer["offset"] + outer["length"], inner["offset"] + inner["length"]
    if inner["offset"] >= outer_end:
        return
    kinds = {outer["type"], inner["type"]}
    if inner_end > outer_end:
        raise bad_request(f"can't parse entities: {outer['type']} and {inner['type']} overlap")
    if kinds & VERBATIM and not kinds & QUOTES:
        raise bad_request(f"can't parse entities: {outer['type']} and {inner['type']} can't be combined")
    if kinds <= QUOTES or outer["type"] == inner["type"]:
        raise bad_request(f"can't parse entities: {outer['type']} can't be nested")
    if outer["type"] in VERBATIM:
        raise bad_request(f"can't parse entities: {outer['type']} can't contain {inner['type']}")


def _borders(text: str) -> set[int]:
    """Offsets between characters; half an emoji is none."""
    borders, offset = {0}, 0
    for character in text:
        offset += utf16_length(character)
        borders.add(offset)
    return borders


def _is_link(url: str) -> bool:
    parts = urlsplit(url)
    return (parts.scheme in {"http", "https", "ftp"} and "." in parts.netloc.strip(".")) or parts.scheme == "tg"
