"""Dates and times as patterns that allow real ones only, which a grammar's own formats do not."""

from types import MappingProxyType

_LEAP = r"[12](?:\d(?:0[48]|[2468][048]|[13579][26])|[048]00)"
_DATE = (
    r"(?:[12]\d{3}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\d|30)"
    r"|02-(?:0[1-9]|1\d|2[0-8]))"
    rf"|{_LEAP}-02-29)"
)
_TIME = r"(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:Z|[+-](?:0\d|1[0-4]):[0-5]\d)"

PATTERNS = MappingProxyType(
    {"date": f"^{_DATE}$", "time": f"^{_TIME}$", "date-time": f"^{_DATE}T{_TIME}$"},
)
"""By the names of JSON Schema's formats. Years are those from 1000 to 2999."""
