"""Text files of any encoding."""

import codecs

import charset_normalizer

_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_ASCII = 0x7F
_FEW = 5


def decode_quickly(data: bytes) -> str | None:
    """Decode what says its encoding, or is UTF-8; None for what has to be guessed."""
    encoding = next((name for mark, name in _MARKS if data.startswith(mark)), "utf-8")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text


def decode(data: bytes) -> str | None:
    """Decode a text; None where it is none. Guessing takes up to seconds for large files."""
    quick = decode_quickly(data)
    if quick is not None or b"\0" in data:
        return quick
    strange = sum(byte > _ASCII for byte in data)
    if strange * _FEW < len(data):
        # Too few for statistics, and what most such files are: western European.
        return data.decode("cp1252", "replace")
    guess = charset_normalizer.from_bytes(data).best()
    return None if guess is None else str(guess)
