"""What is wrong with a request's body, in words."""

from collections.abc import Mapping, Sequence
from typing import Any

from adapters.web.api_error import ApiError

Problem = Mapping[str, Any]
"""An error of pydantic."""


def explain(problems: Sequence[Problem], body: Any) -> ApiError:
    """The likeliest thing that is wrong, as an answer to the client.

    Where several shapes are allowed, pydantic tells what is wrong with each: the one that fits deepest was meant, and
    its `type` says more than what follows from that.
    """
    problem = max(problems, key=lambda each: (_fields(each, body)[1], each["type"] == "literal_error"))
    param = ".".join(map(str, _fields(problem, body)[0])) or None
    kind = problem["type"]
    if kind == "json_invalid":
        return ApiError(400, "The body is not JSON.", code="invalid_json")
    if kind == "extra_forbidden":
        message = f"Unknown or unsupported field: {param}."
    elif kind == "none_required":
        message = f"{param} is not supported by this server."
    elif kind.startswith("model_attributes") or (kind == "missing" and not param):
        message = "The body must be a JSON object, with the header `Content-Type: application/json`."
    elif kind == "missing":
        message = f"{param} is missing."
    else:
        said = str(problem["msg"]).removeprefix("Value error, ")
        message = f"{param}: {said}." if param else f"{said}."
    return ApiError(400, message, code="invalid_value", param=param)


def _fields(problem: Problem, value: Any) -> tuple[list[str | int], int]:
    """The path of a problem in the body, and how much of it is there.

    Pydantic's path also names members of unions, which the body does not have.
    """
    path: list[str | int] = []
    *parts, last = problem["loc"]
    for part in parts[1:] if parts else ():
        if _has(value, part):
            path.append(part)
            value = value[part]
    found = len(path)
    if parts and (_has(value, last) or problem["type"] == "missing"):
        path.append(last)
        found += _has(value, last)
    return path, found


def _has(value: Any, part: str | int) -> bool:
    if isinstance(value, list):
        return isinstance(part, int) and part < len(value)
    return isinstance(value, dict) and part in value
