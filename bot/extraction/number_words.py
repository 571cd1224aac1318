"""Numbers that are written as words, in a normal text: English, German, Spanish, Chinese."""

from collections.abc import Iterator

from bot.extraction.normal_text import NormalText, Span

_ENGLISH = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen"
)
_GERMAN = (
    "null ein zwei drei vier funf sechs sieben acht neun zehn elf zwolf dreizehn vierzehn funfzehn sechzehn "
    "siebzehn achtzehn neunzehn"
)
_SPANISH = (
    "cero un dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince dieciseis "
    "diecisiete dieciocho diecinueve"
)
_TENS = (
    "twenty thirty forty fifty sixty seventy eighty ninety",
    "zwanzig dreissig vierzig funfzig sechzig siebzig achtzig neunzig",
    "veinte treinta cuarenta cincuenta sesenta setenta ochenta noventa",
)
_MORE = {
    "eins": 1,
    "eine": 1,
    "einen": 1,
    "einem": 1,
    "einer": 1,
    "uno": 1,
    "una": 1,
    "dozen": 12,
    "dutzend": 12,
    "docena": 12,
    "hundred": 100,
    "hundert": 100,
    "cien": 100,
    "ciento": 100,
    "thousand": 1000,
    "tausend": 1000,
    "mil": 1000,
    "couple": 2,
    "once": 11,
    "twice": 2,
}
_CHINESE = {digit: value for value, digit in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2, "兩": 2}
_CHINESE_UNITS = {"十": 10, "百": 100, "千": 1000, "万": 10_000, "萬": 10_000}


def find_number_words(text: NormalText) -> Iterator[tuple[Span, int]]:
    """Every number from 0 to 99 that is one word or two, and every Chinese one."""
    words = _table()
    for index, (word, start, end) in enumerate(text.words):
        value = words.get(word)
        if value is None:
            continue
        yield text.span(start, end), value
        following = text.words[index + 1 : index + 3]
        if following and following[0][0] in {"y", "e", "and"}:  # treinta y dos
            following = following[1:]
        if value >= 20 and value % 10 == 0 and following and 0 < words.get(following[0][0], 0) < 10:  # noqa: PLR2004
            yield text.span(start, following[0][2]), value + words[following[0][0]]
    yield from _chinese(text)


def _table() -> dict[str, int]:
    table = dict(_MORE)
    for language in (_ENGLISH, _GERMAN, _SPANISH):
        table |= {word: value for value, word in enumerate(language.split())}
    for language in _TENS:
        table |= {word: value for value, word in zip(range(20, 100, 10), language.split(), strict=True)}
    for value, unit in enumerate(_GERMAN.split()[:10]):
        for tens, word in zip(range(20, 100, 10), _TENS[1].split(), strict=True):
            table[f"{unit}und{word}"] = tens + value  # funfundzwanzig
    for value, unit in enumerate(_SPANISH.split()[:10]):
        table[f"veinti{unit}"] = 20 + value
    return table


def _chinese(text: NormalText) -> Iterator[tuple[Span, int]]:
    start: int | None = None
    for place, character in enumerate([*text.text, " "]):
        if character in _CHINESE or character in _CHINESE_UNITS:
            start = place if start is None else start
        elif start is not None:
            yield text.span(start, place), _chinese_value(text.text[start:place])
            start = None


def _chinese_value(written: str) -> int:
    if not any(character in _CHINESE_UNITS for character in written):
        return int("".join(str(_CHINESE[character]) for character in written))  # a year or a telephone number
    total = part = digit = 0
    for character in written:
        if character in _CHINESE:
            digit = _CHINESE[character]
        elif (unit := _CHINESE_UNITS[character]) == 10_000:  # noqa: PLR2004 - what stands before is counted in it
            total, part, digit = (part + digit) * unit, 0, 0
        else:
            part, digit = part + (digit or 1) * unit, 0
    return total + part + digit
