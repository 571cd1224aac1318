"""YAML to frozen settings, with the place of every error. The only module that knows YAML."""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import SecretStr
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from bot.config.document import Document, Entry, KeyPath, Mark
from bot.config.problem import Problem, config_error
from bot.config.resolution import Resolution, leaves
from bot.config.source import find_file, read_text
from bot.config.syntax import explain_syntax_error, is_about_the_beginning
from bot.settings import AdapterSettings, Configuration

_DEEPEST = 32
"""Levels of nesting; the deepest key of the models is far above it."""
_MOST_VALUES = 20_000
"""Values after aliases are followed: a few nested aliases can stand for billions."""
_LONGEST_NUMBER = 400
"""Characters. Python refuses to convert whole numbers of some thousand digits."""
_BOOLEANS = {"yes": True, "true": True, "on": True, "no": False, "false": False, "off": False}
_TAG = "tag:yaml.org,2002:"


_RESOLVERS = {
    None: [
        (_TAG + "null", re.compile(r"^(?:~|null|Null|NULL|)$")),
        (
            _TAG + "bool",
            re.compile(
                r"^(?:yes|Yes|YES|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF)$",
            ),
        ),
        (_TAG + "int", re.compile(r"^[-+]?(?:0|[1-9][0-9_]*|0x[0-9a-fA-F]+)$")),
        (
            _TAG + "float",
            re.compile(
                r"^(?:[-+]?[0-9][0-9_]*(?:\.[0-9_]*(?:[eE][-+]?[0-9]+)?|[eE][-+]?[0-9]+)"
                r"|[-+]?\.[0-9][0-9_]*(?:[eE][-+]?[0-9]+)?"
                r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$"
            ),
        ),
        (_TAG + "merge", re.compile(r"^<<$")),
    ]
}
"""What an unquoted word is. None stands for any first character."""


class _Loader(yaml.SafeLoader):
    """YAML 1.1 without its surprises: `1e-3` is a number; `12:30`, `0123`, dates and `=` are text."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.yaml_implicit_resolvers = _RESOLVERS
        self._depth = 0

    def compose_node(self, parent: Node | None, index: Any) -> Node | None:
        """Refuse what would exhaust the interpreter's stack."""
        if self._depth > _DEEPEST:
            raise yaml.MarkedYAMLError(problem="nested too deeply", problem_mark=self.get_mark())
        self._depth += 1
        try:
            return super().compose_node(parent, index)
        finally:
            self._depth -= 1


class _Dumper(yaml.SafeDumper):
    """Puts in quotes what `_Loader` would not read as text."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.yaml_implicit_resolvers = _RESOLVERS


class _Builder:
    """Turns composed nodes into plain values and remembers where each stood."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._open: list[Node] = []
        self._values = 0
        self.entries: dict[KeyPath, Entry] = {}
        self.broken: set[KeyPath] = set()
        self.problems: list[Problem] = []

    def build(self, node: Node, path: KeyPath = (), key: Node | None = None) -> Any:
        """The value of `node`. Raises `ConfigError` for what cannot be followed to its end."""
        written = node.value if isinstance(node, ScalarNode) and node.style is None else None
        self.entries[path] = Entry(key=_mark(key or node), value=_mark(node), text=written)
        with self._inside(node, path):
            if isinstance(node, MappingNode) and node.tag == _TAG + "map":
                pairs = self._pairs(node, path)
                return {name: self.build(value, (*path, name), at) for name, (at, value) in pairs.items()}
            if isinstance(node, SequenceNode) and node.tag == _TAG + "seq":
                return [self.build(item, (*path, index)) for index, item in enumerate(node.value)]
            return self._scalar(node, path)

    @contextmanager
    def _inside(self, node: Node, path: KeyPath) -> Iterator[None]:
        self._values += 1
        if node in self._open:
            raise config_error([self._problem(node, path, "this alias stands inside the very part it repeats")])
        if self._values > _MOST_VALUES or len(self._open) > _DEEPEST:
            raise config_error([self._problem(node, path, "too much is repeated by aliases; write it out")])
        self._open.append(node)
        yield
        self._open.pop()

    def _pairs(self, node: MappingNode, path: KeyPath, *, merging: bool = False) -> dict[str | int, tuple[Node, Node]]:
        """A section's keys with their nodes; its own come before those that `<<` brings in, earlier before later."""
        pairs: dict[str | int, tuple[Node, Node]] = {}
        merged: list[Node] = []
        for key_node, value_node in node.value:
            if key_node.tag == _TAG + "merge":
                merged += value_node.value if isinstance(value_node, SequenceNode) else [value_node]
                continue
            key = self._key(key_node, path)
            if key in pairs and not merging:
                text = f"this key is here twice; the first one is in line {_mark(pairs[key][0]).line}"
                self.problems.append(self._problem(key_node, (*path, key), text))
            elif key is not None:
                pairs[key] = (key_node, value_node)
        for source in merged:
            if not isinstance(source, MappingNode):
                text = "<< must be followed by a section, such as *name, or a list of sections"
                self.problems.append(self._problem(source, path, text))
                continue
            with self._inside(source, path):
                pairs = {**self._pairs(source, path, merging=True), **pairs}
        return pairs

    def _key(self, node: Node, path: KeyPath) -> str | int | None:
        key = self._scalar(node, path) if isinstance(node, ScalarNode) else None
        if isinstance(key, str) or (isinstance(key, int) and not isinstance(key, bool)):
            return key
        text = "a key must be a word; put it in quotes if it is meant to be one"
        self.problems.append(self._problem(node, path, text))
        self.broken.add(path)
        return None

    def _scalar(self, node: Node, path: KeyPath) -> Any:
        text, kind = node.value, node.tag.removeprefix(_TAG)
        problem = "is not a plain value; tags (!) and endless numbers are not used"
        if isinstance(node, ScalarNode):
            if kind in {"str", "merge"}:
                if not any("\ud800" <= character <= "\udfff" for character in text):
                    return text
                problem = "has half a character, written as \\ud800 to \\udfff; write the character itself"
            if kind == "null":
                return None
            if kind == "bool" and text.lower() in _BOOLEANS:
                return _BOOLEANS[text.lower()]
            if kind in {"int", "float"} and len(text) <= _LONGEST_NUMBER:
                with suppress(ValueError):
                    return _number(kind, text.replace("_", ""))
        self.problems.append(self._problem(node, path, problem))
        self.broken.add(path)
        return None

    def _problem(self, node: Node, path: KeyPath, text: str) -> Problem:
        return Problem(file=self._file, mark=_mark(node), path=path, text=text)


def _number(kind: str, text: str) -> int | float:
    if kind == "int":
        return int(text, 16 if "x" in text else 10)
    return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))


def _mark(node: Node) -> Mark:
    return Mark(node.start_mark.line + 1, node.start_mark.column + 1)


def parse(text: str, file: str) -> tuple[Document, list[Problem]]:
    """Read YAML: the values, and every duplicate key and tag.

    Raises `ConfigError` with the first syntax error, since what follows one cannot be trusted.
    """
    data: Any = None
    builder = _Builder(file)
    try:
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
        except (ValueError, OverflowError) as error:
            # an escape sequence or a directive with a number that no character or version has
            raise yaml.MarkedYAMLError(problem="unknown escape character", problem_mark=loader.get_mark()) from error
        if node is not None:
            data = builder.build(node)
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        column = error.position - text.rfind("\n", 0, error.position)
        reason = explain_syntax_error(str(error.reason))
        raise config_error([Problem(file=file, mark=Mark(line, column), text=reason)]) from None
    except yaml.MarkedYAMLError as error:
        problem = str(error.problem)
        mark = error.context_mark if is_about_the_beginning(problem) else error.problem_mark
        mark = mark or error.problem_mark or error.context_mark
        place = Mark(mark.line + 1, mark.column + 1) if mark else Mark(1, 1)
        raise config_error([Problem(file=file, mark=place, text=explain_syntax_error(problem))]) from None
    if data is not None and not isinstance(data, dict) and not builder.problems:
        text = "must consist of sections, such as 'model:' with indented 'key: value' lines below it"
        builder.problems.append(Problem(file=file, mark=builder.entries[()].value, text=text))
    values = data if isinstance(data, dict) else {}
    document = Document(file=file, data=values, entries=builder.entries, broken=frozenset(builder.broken))
    return document, builder.problems


def dump_value(value: Any) -> str:
    """A plain value as YAML on one line."""
    if isinstance(value, list):
        return f"[{', '.join(dump_value(item) for item in value)}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{dump_value(key)}: {dump_value(item)}' for key, item in value.items())}}}"
    if isinstance(value, str) and not value.isprintable():
        return f'"{"".join(_escaped(c) for c in value)}"'
    # inside a list, so that it is quoted where a comma or a bracket would end it
    text: str = yaml.dump([value], Dumper=_Dumper, default_flow_style=True, allow_unicode=True, width=2**31)
    return text.strip()[1:-1]


def _escaped(character: str) -> str:
    if character in '"\\':
        return f"\\{character}"
    if character.isprintable():
        return character
    return "\\n" if character == "\n" else f"\\U{ord(character):08x}"


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedConfig:
    """The configuration, and where each part of it came from."""

    settings: Configuration
    path: Path | None
    """The file that was read; None where there is none and the defaults hold."""
    sources: Mapping[str, str]
    """Key path, such as `personas.cook.name`, to `file:line`, an environment variable or `default`."""

    def secrets(self) -> frozenset[str]:
        """The values that must never be shown."""
        values = (
            item for _, value in leaves(self.settings) for item in (value if isinstance(value, tuple) else (value,))
        )
        return frozenset(value.get_secret_value() for value in values if isinstance(value, SecretStr))


def load(
    path: Path | None, *, environ: Mapping[str, str], adapter_settings: Callable[[str], type[AdapterSettings]]
) -> LoadedConfig:
    """Read the configuration: from `path`, else `./config.yaml`, else the user's XDG one, else the built-in defaults.

    `adapter_settings` finds an adapter's settings class by its name, and raises `ConfigError` for an unknown one.
    Raises `ConfigError`, whose text lists everything that is wrong.
    """
    found = find_file(path)
    document, problems = parse(read_text(found), str(found)) if found else (Document(file="", data={}, entries={}), [])
    resolution = Resolution(document=document, environ=environ, adapter_settings=adapter_settings)
    settings = resolution.resolve()
    problems += [problem for problem in resolution.problems if problem.path not in document.broken]
    if problems or settings is None:
        raise config_error(problems)
    return LoadedConfig(settings=settings, path=found, sources=resolution.sources(settings))
