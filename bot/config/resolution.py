"""From a document to the whole configuration: sections, adapters, secrets, and where each value came from."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from bot.config.document import Document, KeyPath, format_path, printable
from bot.config.prepare import Preparation
from bot.config.problem import Problem, did_you_mean
from bot.config.shape import Shape, known_keys
from bot.config.validator import Validator
from bot.errors import ConfigError, MissingDependencyError
from bot.settings import AdapterSettings, Configuration


@dataclass(slots=True, kw_only=True)
class Resolution:
    """One attempt to make settings of a document. What is wrong is collected in `problems`."""

    document: Document
    environ: Mapping[str, str]
    adapter_settings: Callable[[str], type[AdapterSettings]]
    problems: list[Problem] = field(default_factory=list)
    _variables: dict[KeyPath, str] = field(default_factory=dict)

    def resolve(self) -> Configuration | None:
        """The configuration; None if there are problems."""
        preparation = Preparation(document=self.document, environ=self.environ)
        values = preparation.prepare(Shape.of(Configuration), dict(self.document.data))
        sections = values.pop("adapters", {})
        adapters = self._adapters(sections, preparation) if isinstance(sections, dict) else sections
        self.document = self.document.renamed(preparation.renamed)
        self._variables = preparation.variables
        self.problems += preparation.problems
        self._check_persona(values)
        self._check_platform_ids(values)
        validator = Validator(self.document, elsewhere=_home)
        settings, problems = validator.validate(Configuration, {**values, "adapters": adapters})
        self.problems += problems
        return None if self.problems else settings

    def sources(self, settings: Configuration) -> dict[str, str]:
        """Every key of `settings` with the place its value came from."""
        return {format_path(path): self._source(path) for path, _ in leaves(settings)}

    def _source(self, path: KeyPath) -> str:
        if path in self._variables:
            return f"environment variable {self._variables[path]}"
        if path in self.document.entries:
            return self.document.where(path)
        return "default"

    def _adapters(self, sections: Mapping[str | int, Any], preparation: Preparation) -> dict[str, AdapterSettings]:
        adapters: dict[str, AdapterSettings] = {}
        for name, section in sections.items():
            at: KeyPath = ("adapters", name)
            values = {} if section is None else section
            if not isinstance(values, dict):
                self._add(at, "must be a section with the adapter's keys; what was found is not shown")
                continue
            off = values.get("enabled") is False
            try:
                model = self.adapter_settings(str(name))
            except MissingDependencyError as error:
                if off:
                    adapters[str(name)] = AdapterSettings(enabled=False)
                else:
                    self._add(at, printable(str(error)), on_key=True)
                continue
            except ConfigError as error:
                self._add(at, printable(str(error)), on_key=True)
                continue
            prepared = preparation.prepare(Shape.of(model), values, at, secrets_needed=not off)
            document = self.document.renamed(preparation.renamed)
            settings, problems = Validator(document).validate(model, prepared, at)
            self.problems += problems
            if settings is not None:
                adapters[str(name)] = settings
        return adapters

    def _check_persona(self, values: dict[str | int, Any]) -> None:
        """Said here, before validation, so that a mistake inside a persona does not hide it."""
        persona, personas = values.get("persona"), values.get("personas")
        names = list(personas) if isinstance(personas, dict) and personas else list(Configuration().personas)
        if isinstance(persona, str) and persona not in names:
            del values["persona"]
            known = [str(name) for name in names]
            self._add(("persona",), f"must be one of personas: {', '.join(known)}{did_you_mean(persona, known)}")

    def _check_platform_ids(self, values: Mapping[str | int, Any]) -> None:
        """An id whose adapter does not exist would block or admit nobody, in silence."""
        for path, value in _texts(values.get("permissions"), ("permissions",)):
            adapter, colon, _ = value.partition(":")
            if not colon or not adapter:
                continue
            try:
                self.adapter_settings(adapter)
            except MissingDependencyError:
                continue
            except ConfigError as error:
                self._add(path, printable(str(error)))

    def _add(self, path: KeyPath, text: str, *, on_key: bool = False) -> None:
        entry = self.document.nearest(path)
        mark = entry.key if on_key else entry.value
        self.problems.append(Problem(file=self.document.file, mark=mark, path=path, text=text))


def leaves(value: Any, path: KeyPath = ()) -> Iterator[tuple[KeyPath, Any]]:
    """Every single value in a settings model with its key path; empty sections and plain lists count as values."""
    if isinstance(value, BaseModel):
        for name in known_keys(type(value)):
            yield from leaves(getattr(value, name), (*path, name))
    elif isinstance(value, dict) and value:
        for name, item in value.items():
            yield from leaves(item, (*path, name))
    elif isinstance(value, tuple) and any(isinstance(item, BaseModel) for item in value):
        for index, item in enumerate(value):
            yield from leaves(item, (*path, index))
    else:
        yield path, value


def _texts(value: Any, path: KeyPath) -> Iterator[tuple[KeyPath, str]]:
    if isinstance(value, str):
        yield path, value
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in children:
        yield from _texts(item, (*path, key))


def _home(key: str) -> str | None:
    """The section of the configuration that has `key`; empty for the top of the file, None where no section has it."""
    if key in Configuration.model_fields:
        return ""
    for name, section in Configuration.model_fields.items():
        model = Shape.of_field(section).model
        if model and key in model.model_fields:
            return name
    return None
