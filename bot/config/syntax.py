"""Plain words for what a YAML parser complains about."""

_HINTS = (
    ("'\\t' that cannot start any token", "a tab; YAML is indented with spaces only"),
    ("that cannot start any token", "text that begins with this character must be put in quotes"),
    ("mapping values are not allowed", "an unexpected ':'; put text with ': ' in it in quotes, and indent keys alike"),
    ("could not find expected ':'", "a line without 'key: value'; is the ':' missing, or the space after it?"),
    ("expected <block end>", "this is not indented as far as the lines around it that belong to it"),
    ("found undefined alias", "text that begins with * must be put in quotes, or the anchor it refers to is missing"),
    ("found duplicate anchor", "this anchor (&name) is used twice"),
    ("expected alphabetic or numeric character", "text that begins with * or & must be put in quotes"),
    ("unknown escape character", "in double quotes a backslash starts an escape sequence; use single quotes here"),
    ("expected escape sequence", "in double quotes a backslash starts an escape sequence; use single quotes here"),
    ("found unexpected end of stream", "a quote that was opened here is never closed"),
    ("found unexpected document separator", "a quote that was opened here is never closed"),
    ("expected ',' or", "a bracket or brace that was opened here is never closed, or a comma is missing"),
    ("expected the node content", "a value is missing between brackets, braces or commas"),
    ("found another document", "a second document begins here; remove the '---' line"),
    ("expected '<document start>'", "the file begins like something else than 'key: value' lines"),
    ("nested too deeply", "nested too deeply"),
    ("special characters are not allowed", "a control character; delete it"),
)  # fmt: skip
_NEVER_CLOSED = ("found unexpected end of stream", "found unexpected document separator", "expected ',' or")


def explain_syntax_error(problem: str) -> str:
    """What to look for, given the parser's own words.

    The parser has one exception type for all of this, so its words have to tell. They are not repeated: they can hold
    pieces of the file, and so of a secret.
    """
    hint = next((hint for words, hint in _HINTS if words in problem), "check the indentation, quotes and brackets here")
    return f"not valid YAML: {hint}"


def is_about_the_beginning(problem: str) -> bool:
    """Whether the place to look at is where the construct began, not where the parser gave up."""
    return problem.startswith(_NEVER_CLOSED)
