"""Notices a string that goes round in circles, which small models write on until something stops them. Pure."""

_LEAST = 24
"""Bytes; a shorter repetition may be meant."""
_TIMES = 3
_LONGEST_PERIOD = 64
_BLANKS = b"   "


def goes_round(string: bytes, source: bytes) -> bool:
    """Whether `string` ends with a repetition, or with blanks, that `source` has nowhere.

    Both are as JSON writes them, without the quotation marks around them.
    """
    if string.endswith(_BLANKS):
        return _BLANKS not in source
    for period in range(1, min(_LONGEST_PERIOD, len(string) // _TIMES) + 1):
        length = max(_LEAST, _TIMES * period)
        tail = string[-length:]
        if len(tail) == length and tail[period:] == tail[:-period]:
            return tail not in source
    return False
