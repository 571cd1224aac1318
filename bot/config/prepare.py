"""Turns what YAML read into what the models take: aliases, empty sections, words like `off`, secrets."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from bot.config.document import Document, KeyPath
from bot.config.problem import Problem
from bot.config.shape import Shape, canonical, is_secret
from bot.settings import Settings

_LONGEST_VARIABLE = 40
"""Characters; a longer name is more likely a secret that was pasted in the wrong place."""


@dataclass(slots=True, kw_only=True)
class Preparation:
    """One pass over a document's values, guided by the models. Collects problems instead of raising them."""

    document: Document
    environ: Mapping[str, str]
    problems: list[Problem] = field(default_factory=list)
    variables: dict[KeyPath, str] = field(default_factory=dict)
    """The environment variable that each secret was read from."""
    renamed: dict[KeyPath, KeyPath] = field(default_factory=dict)
    """Path in the file to path in the models, of keys written under an alias."""

    def prepare(self, shape: Shape, value: Any, path: KeyPath = (), *, secrets_needed: bool = True) -> Any:
        """`value` as `shape` wants it. A variable that is not set is a problem only with `secrets_needed`."""
        if value is None and shape.is_container and not shape.nullable:
            value = [] if shape.kind is list else {}
        if shape.model and isinstance(value, dict):
            return self._section(shape.model, value, path, secrets_needed=secrets_needed)
        if shape.kind is dict and shape.item and isinstance(value, dict):
            return {key: self.prepare(shape.item, item, (*path, key)) for key, item in value.items()}
        if shape.kind is list and shape.item and isinstance(value, list):
            return [self.prepare(shape.item, item, (*path, index)) for index, item in enumerate(value)]
        if isinstance(value, bool):
            return self._word(shape, value, path)
        return value

    def _section(
        self, model: type[BaseModel], values: Mapping[str | int, Any], path: KeyPath, *, secrets_needed: bool
    ) -> dict[str | int, Any]:
        prepared: dict[str | int, Any] = {}
        for key, value in values.items():
            name = canonical(model, key)
            child = Shape.of(model).child(key)
            if child is None:
                prepared[key] = value
            elif name != key and name in values:
                self._add((*path, key), f"is another name of {name}, which is set too; remove one of them")
            else:
                if name != key:
                    self.renamed[*path, key] = (*path, name)
                if value is None and child.is_container and not child.nullable:
                    continue  # every key below it is commented out
                prepared[name] = self.prepare(child, value, (*path, key))
        if issubclass(model, Settings):
            for secret in model.secret_fields():
                self._fill(model, prepared, secret, path, needed=secrets_needed)
        return prepared

    def _word(self, shape: Shape, value: bool, path: KeyPath) -> Any:
        """YAML reads off, no, on and yes as booleans; where the word itself is allowed, the word is meant."""
        written = (self.document.nearest(path).text or "").lower()
        return written if written in shape.literals() else value

    def _fill(
        self, model: type[BaseModel], prepared: dict[str | int, Any], secret: str, path: KeyPath, *, needed: bool
    ) -> None:
        key = f"{secret}_env"
        variable = prepared.get(key)
        if not isinstance(variable, str) or not variable or not is_secret(model, key):
            return
        if prepared.get(secret) is not None:
            self._add((*path, key), f"{secret} and {key} are both set; remove one of them")
            return
        value = self.environ.get(variable, "").rstrip("\r\n")
        if value:
            prepared[secret] = value
            self.variables[*path, secret] = variable
        elif needed:
            self._add((*path, key), _unset(variable, is_set=variable in self.environ))

    def _add(self, path: KeyPath, text: str) -> None:
        entry = self.document.nearest(path)
        self.problems.append(Problem(file=self.document.file, mark=entry.key, path=path, text=text))


def _unset(variable: str, *, is_set: bool) -> str:
    """The name is shown only if it looks like one: owners paste the secret itself here."""
    looks_like_a_name = variable.isascii() and variable.isidentifier() and variable.isupper()
    if not looks_like_a_name or len(variable) > _LONGEST_VARIABLE:
        return (
            "must be the name of an environment variable that is set, such as HF_TOKEN; what was found is not shown, "
            "because it may be the secret itself"
        )
    return f"the environment variable {variable} is {'empty' if is_set else 'not set'}; set it before the daemon starts"
