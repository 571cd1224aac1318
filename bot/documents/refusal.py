"""Why a file is not read."""


class Refusal(Exception):  # noqa: N818 - no error of anybody: an answer
    """The words go behind "I cannot read FILE: "."""
