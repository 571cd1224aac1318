"""The months in several languages, as a normal text has them: lower case, without accents."""

import re

_NAMES = (
    "january januar janner enero janvier gennaio janeiro januari",
    "february februar feber febrero fevrier febbraio fevereiro februari",
    "march marz maerz marzo mars marco maart",
    "april abril avril aprile",
    "may mai mayo maggio maio mei",
    "june juni junio juin giugno junho",
    "july juli julio juillet luglio julho",
    "august agosto aout augustus",
    "september septiembre setiembre septembre settembre setembro",
    "october oktober octubre octobre ottobre outubro",
    "november noviembre novembre novembro",
    "december dezember diciembre decembre dicembre dezembro",
)
_SHORT = (
    "jan ene janv gen",
    "feb fev febr",
    "mar mrz mrt",
    "apr abr avr",
    "mag",
    "jun giu",
    "jul juil lug",
    "aug ago",
    "sep sept set",
    "oct okt ott out",
    "nov",
    "dec dez dic",
)
MONTHS = {name: month for table in (_NAMES, _SHORT) for month, names in enumerate(table, 1) for name in names.split()}
"""Name or abbreviation to the number of the month."""
PATTERN = rf"(?P<name>{'|'.join(map(re.escape, sorted(MONTHS, key=len, reverse=True)))})(?![^\W\d_])\.?"
"""Matches one of them as a whole word, with the full stop of an abbreviation."""
