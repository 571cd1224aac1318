"""The Jinja environment that chat templates run in."""

import json
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, NoReturn

import jinja2
from jinja2 import nodes
from jinja2.exceptions import SecurityError
from jinja2.ext import Extension
from jinja2.filters import do_indent
from jinja2.meta import find_undeclared_variables
from jinja2.parser import Parser
from jinja2.runtime import Context, LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

_BUDGET = "budget of this rendering"  # no template can name a variable with blanks
_MAX_CHARACTERS = 64_000_000
_MAX_STEPS = 1_000_000
_MAX_SECONDS = 5.0
_MAX_WIDTH = 10_000
_WIDE_FORMAT = re.compile(r"\d{5}|\*")


class RenderingBudget:
    """What one rendering may cost. Real conversations use less than a thousandth of it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._deadline = clock() + _MAX_SECONDS
        self._steps = 0
        self._characters = 0

    def step(self, steps: int = 1) -> None:
        """Count turns of a loop or calls; raises `SecurityError` when it is one too many."""
        self._steps += steps
        if self._steps > _MAX_STEPS or self._clock() > self._deadline:
            raise SecurityError("the template does not come to an end")

    def write(self, characters: int) -> None:
        """Count text that was built; raises `SecurityError` when it is too much."""
        self._characters += characters
        if self._characters > _MAX_CHARACTERS:
            raise SecurityError("the template writes too much")


class TemplateSandbox(ImmutableSandboxedEnvironment):
    """Jinja as chat templates expect it, with bounds on time and size.

    A template comes with a downloaded model, so it is code of strangers: Jinja's sandbox keeps it from Python's
    internals, and a `RenderingBudget` from running or growing without end. White space rules, extensions and functions
    are those of https://huggingface.co/docs/transformers/chat_templating_writing.
    """

    def __init__(self, now: datetime) -> None:
        """`now` is what `strftime_now` tells."""
        super().__init__(
            trim_blocks=True,
            lstrip_blocks=True,
            extensions=["jinja2.ext.loopcontrols", _GenerationBlock],
            finalize=_count_output,
        )
        self.intercepted_binops = frozenset({"+", "*", "**", "%"})
        self.globals["raise_exception"] = _raise_exception
        self.globals["strftime_now"] = lambda text: now.strftime(_narrow(text))
        self.filters |= {"tojson": _to_json, "_each": _each, "_concat": _concat, "format": _format, "indent": _indent}
        for unneeded in ("center", "random", "urlize", "wordwrap"):  # not bounded, or not repeatable
            del self.filters[unneeded]

    def compile_template(self, source: str) -> tuple[jinja2.Template, frozenset[str]]:
        """Compile; also return the names of the variables the template asks for.

        Raises `jinja2.TemplateSyntaxError`, and `RecursionError` for absurd nesting.
        """
        tree = self.parse(source)
        variables = find_undeclared_variables(tree)
        for loop in list(tree.find_all(nodes.For)):
            loop.iter = nodes.Filter(loop.iter, "_each", [], [], None, None, lineno=loop.lineno)
        tree = _WithoutConcat().visit(tree)
        tree.set_environment(self)
        return self.from_string(tree), frozenset(variables)

    def render(self, template: jinja2.Template, variables: Mapping[str, Any]) -> str:
        """Render within a fresh budget; raises whatever the template provokes."""
        return template.render({**variables, _BUDGET: RenderingBudget()})

    def call(self, context: Context, obj: Any, /, *args: Any, **kwargs: Any) -> Any:  # noqa: D102 - Jinja's own
        # The turns of a recursive loop's deeper levels pass by `_each`.
        _budget(context).step(len(args[0]) if isinstance(obj, LoopContext) else 1)
        method = getattr(obj, "__wrapped__", obj)  # Jinja's sandbox wraps str.format
        if isinstance(text := getattr(method, "__self__", None), str):
            if method.__name__.startswith("format"):
                _narrow(text)
            for value in (*args, *kwargs.values()):
                _check_width(value)
        return super().call(context, obj, *args, **kwargs)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:  # noqa: D102 - Jinja's own
        if operator == "%" and isinstance(left, str):
            _narrow(left)
        elif operator == "+" and hasattr(left, "__len__"):
            _budget(context).write(len(left) + len(right))
        elif operator == "*":
            _budget(context).write(_length_of_product(left, right))
        elif operator == "**":
            raise SecurityError("the template computes powers, which no chat needs")
        return super().call_binop(context, operator, left, right)


class _GenerationBlock(Extension):
    """`{% generation %}` marks the model's own words for training; here it only shows its content."""

    def __init__(self, environment: jinja2.Environment) -> None:
        super().__init__(environment)
        self.tags = {"generation"}

    def parse(self, parser: Parser) -> nodes.Node:
        line = next(parser.stream).lineno
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        return nodes.Scope(body, lineno=line)


class _WithoutConcat(NodeTransformer):
    """Replaces the operator `~`, which Jinja does not let one intercept, by a filter."""

    def visit_Concat(self, node: nodes.Concat) -> nodes.Filter:  # noqa: N802 - named after the node
        self.generic_visit(node)
        parts = nodes.List(node.nodes, lineno=node.lineno)
        return nodes.Filter(parts, "_concat", [], [], None, None, lineno=node.lineno)


def _budget(context: Context) -> RenderingBudget:
    budget: RenderingBudget = context.parent[_BUDGET]
    return budget


def _length_of_product(left: Any, right: Any) -> int:
    """Length of what `*` makes: of a text or list repeated, or of a number in bits."""
    if hasattr(left, "__len__"):
        return len(left) * int(right)
    if hasattr(right, "__len__"):
        return len(right) * int(left)
    return int(left).bit_length() + int(right).bit_length()


def _check_width(value: Any) -> None:
    if isinstance(value, int) and abs(value) > _MAX_WIDTH:
        raise SecurityError("the template asks for too wide a text")


def _narrow(text: str) -> str:
    """A format string; raises `SecurityError` where it could pad its output without bounds."""
    if _WIDE_FORMAT.search(text):
        raise SecurityError("the template asks for too wide a text")
    return text


def _raise_exception(message: str) -> NoReturn:
    raise jinja2.TemplateError(message)


def _to_json(
    value: Any,
    indent: int | None = None,
    ensure_ascii: bool = False,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,
) -> str:
    """JSON for a model's eyes: unlike Jinja's own filter, without HTML escapes."""
    _check_width(indent)
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


@jinja2.pass_context
def _each(context: Context, values: Iterable[Any]) -> Iterator[Any]:
    """Count the turns of a loop."""
    step = _budget(context).step
    for value in values:
        step()
        yield value


@jinja2.pass_context
def _concat(context: Context, parts: list[Any]) -> str:
    text = "".join(map(str, parts))
    _budget(context).write(len(text))
    return text


@jinja2.pass_context
def _count_output(context: Context, value: Any) -> Any:
    _budget(context).write(len(value) if isinstance(value, str) else 1)
    return value


def _format(text: str, *args: Any, **kwargs: Any) -> str:
    return _narrow(str(text)) % (kwargs or args)


def _indent(text: str, width: int | str = 4, first: bool = False, blank: bool = False) -> str:
    _check_width(width)
    return do_indent(text, width, first, blank)
