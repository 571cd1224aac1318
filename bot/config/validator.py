"""Checks prepared values against a settings model and says everything that is wrong, in plain words."""

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, SecretStr, ValidationError
from pydantic_core import ErrorDetails
from pydantic_core.core_schema import ErrorType

from bot.config.document import Document, KeyPath, format_path, printable
from bot.config.problem import Problem, did_you_mean
from bot.config.shape import Shape, is_secret, known_keys
from bot.config.wording import describe_found

M = TypeVar("M", bound=BaseModel)
_PYDANTICS_OWN = frozenset(get_args(ErrorType)) - {"value_error", "assertion_error"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    path: KeyPath
    """Below the validated section."""
    shape: Shape
    parent: Shape


class Validator:
    """Validates sections of a document. `elsewhere` finds the section that a key unknown in this one belongs to."""

    def __init__(self, document: Document, *, elsewhere: Callable[[str], str | None] = lambda _: None) -> None:
        self._document = document
        self._elsewhere = elsewhere

    def validate(
        self, model: type[M], values: Mapping[str | int, Any], at: KeyPath = ()
    ) -> tuple[M | None, list[Problem]]:
        """The settings in `values`, which stand at `at` in the file, or None and what is wrong with them.

        pydantic checks whether keys go together only after each is right by itself. So what is wrong is taken out
        and the rest is validated again, until nothing more turns up.
        """
        problems: list[Problem] = []
        removed: set[KeyPath] = set()
        rest = deepcopy(dict(values))
        while True:
            try:
                settings = model.model_validate(rest)
            except ValidationError as error:
                details = error.errors(include_url=False)
            else:
                return (None if problems else settings), problems
            cuts: set[KeyPath] = set()
            for detail in details:
                place, problem = self._explain(model, detail, rest, at, removed)
                if problem:
                    problems.append(problem)
                cuts.add(_cut(rest, place))
            cuts.discard(())
            if not cuts:
                return None, problems
            for cut in cuts:
                _delete(rest, cut)
            removed |= cuts

    def _explain(
        self, model: type[BaseModel], detail: ErrorDetails, values: Any, at: KeyPath, removed: set[KeyPath]
    ) -> tuple[KeyPath, Problem | None]:
        """Where the error is, below the section, and what to say of it; nothing where it follows from another."""
        kind, location = detail["type"], detail["loc"]
        if kind == "conflict":
            keys = [(*location, *key) for key in detail["ctx"]["keys"]]
            culprit = next((key for key in keys if (*at, *key) in self._document.entries), keys[0])
            if any(_overlap(key, gone) for key in keys for gone in removed):
                return culprit, None
            return culprit, self._problem((*at, *culprit), detail["ctx"]["message"])
        place = _resolve(model, location)
        if kind == "default_factory_not_called" or any(_overlap(place.path, gone) for gone in removed if place.path):
            return (), None
        on_key = kind in {"extra_forbidden", "invalid_key"} or location[-1:] == ("[key]",)
        problem = self._problem((*at, *place.path), self._text(detail, place, values, at), on_key=on_key)
        return (place.path[:-1] if kind == "missing" else place.path), problem

    def _text(self, detail: ErrorDetails, place: _Place, values: Any, at: KeyPath) -> str:
        kind, wanted = detail["type"], place.shape.describe()
        if kind not in _PYDANTICS_OWN:
            return printable(str(detail.get("ctx", {}).get("error", detail["msg"])))
        key = place.path[-1]
        if kind in {"extra_forbidden", "invalid_key"} and place.parent.model:
            return self._unknown(place.parent.model, key, (*at, *place.path[:-1]))
        if detail["loc"][-1] == "[key]":
            wanted = place.parent.key.describe() if place.parent.key else "text"
            return f"this key must be {wanted}{', in quotes' if isinstance(key, int) else ''}"
        if place.shape.kind is SecretStr or is_secret(place.parent.model, key):
            missing = f"is missing; it must be {wanted}, or set {key}_env"
            return missing if kind == "missing" else f"must be {wanted}; what was found is not shown"
        if kind == "missing":
            return f"is missing; it must be {wanted}"
        value = _lookup(values, place.path)
        entry = self._document.entries.get((*at, *place.path))
        near = did_you_mean(value, place.shape.literals()) if isinstance(value, str) else ""
        found = describe_found(place.shape, value, entry.text if entry else None)
        return f"must be {wanted}; found {found}{near}"

    def _unknown(self, model: type[BaseModel], key: str | int, section: KeyPath) -> str:
        known = known_keys(model)
        hint = did_you_mean(str(key), known)
        home = None if hint else self._elsewhere(str(key))
        if home is not None and home != format_path(section):
            hint = f"; it belongs under {home}" if home else "; it belongs at the top of the file, not indented"
        return f"unknown key{hint}; known here: {', '.join(known)}"

    def _problem(self, path: KeyPath, text: str, *, on_key: bool = False) -> Problem:
        entry = self._document.nearest(path)
        mark = entry.value if path in self._document.entries and not on_key else entry.key
        return Problem(file=self._document.file, mark=mark, path=path, text=text)


def _resolve(model: type[BaseModel], location: KeyPath) -> _Place:
    """What pydantic's location means. Ends where it goes on to name a union's members."""
    parent = shape = Shape.of(model)
    path: KeyPath = ()
    for part in location:
        if shape.options or part == "[key]":
            break
        child = shape.child(part)
        path, parent = (*path, part), shape
        if child is None:
            break
        shape = child
    return _Place(path=path, shape=shape, parent=parent)


def _overlap(one: KeyPath, other: KeyPath) -> bool:
    shortest = min(len(one), len(other))
    return one[:shortest] == other[:shortest]


def _lookup(values: Any, path: KeyPath) -> Any:
    for part in path:
        try:
            values = values[part]
        except (KeyError, IndexError, TypeError):
            return None
    return values


def _cut(values: Any, path: KeyPath) -> KeyPath:
    """The key to take out so that `path` is gone: itself, or the one that holds its list. Empty if it is not there."""
    for depth, part in enumerate(path):
        if not isinstance(values, dict) or part not in values:
            return ()
        values = values[part]
        if depth == len(path) - 1 or not isinstance(values, dict):
            return path[: depth + 1]
    return ()


def _delete(values: Any, path: KeyPath) -> None:
    parent = _lookup(values, path[:-1])
    if isinstance(parent, dict):
        parent.pop(path[-1], None)
