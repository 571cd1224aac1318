"""What a hostile chat template can do: nothing."""

from datetime import UTC, datetime

import jinja2
import pytest
from jinja2.exceptions import SecurityError

from bot.engine.template_sandbox import RenderingBudget, TemplateSandbox


@pytest.fixture
def sandbox() -> TemplateSandbox:
    """A sandbox on the ninth of March."""
    return TemplateSandbox(datetime(2026, 3, 9, tzinfo=UTC))


def run(sandbox: TemplateSandbox, source: str, **variables: object) -> str:
    """Compile and render."""
    return sandbox.render(sandbox.compile_template(source)[0], variables)


MANY = "range(99999)"


@pytest.mark.parametrize(
    "source",
    [
        "{% for i in range(10**9) %}{% endfor %}",
        "{% for i in range(1000000000) %}{% endfor %}",
        "{% for a in " + MANY + " %}{% for b in " + MANY + " %}{% endfor %}{% endfor %}",
        "{% for a in " + MANY + " %}{{ 'x' * 9999 }}{% endfor %}",
        "{% for a in " + MANY + " recursive %}{% if loop.depth0 < 3 %}{{ loop(" + MANY + ") }}{% endif %}{% endfor %}",
        "{% macro m() %}{{ m() }}{{ m() }}{% endmacro %}{{ m() }}",
        "{% set n = namespace(s='x') %}{% for i in range(60) %}{% set n.s = n.s ~ n.s %}{% endfor %}",
        "{% set n = namespace(s='x') %}{% for i in range(60) %}{% set n.s = n.s + n.s %}{% endfor %}",
        "{% set n = namespace(s=[1]) %}{% for i in range(60) %}{% set n.s = n.s + n.s %}{% endfor %}",
        "{% set n = namespace(s='x') %}{% for i in range(60) %}{% set n.s %}{{ n.s }}{{ n.s }}{% endset %}{% endfor %}",
        "{{ 'x' * 10000000000 }}",
        "{{ 10000000000 * 'x' }}",
        "{{ [1] * 10000000000 }}",
        "{{ 9 ** 999999999 }}",
        "{{ '%99999999999d' % 1 }}",
        "{{ '%*d' % (99999999, 1) }}",
        "{{ '%99999999999d' | format(1) }}",
        "{{ '{:99999999999}'.format(1) }}",
        "{{ 'x'.ljust(99999999999) }}",
        "{{ 'x' | indent(99999999999, first=true) }}",
        "{{ [[1]] | tojson(indent=99999999999) }}",
        "{{ strftime_now('%99999999999d') }}",
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ raise_exception.__globals__.items() }}",
        "{{ (messages | attr('append')).__self__ }}",
        "{{ messages.append(1) }}",
        "{{ cycler.__init__.__globals__.os.system('true') }}",
        "{% include '/etc/passwd' %}",
    ],
)
def test_hostile_templates(sandbox: TemplateSandbox, source: str) -> None:
    """Endless loops, huge outputs and ways into Python end in an error, soon and without harm."""
    with pytest.raises((jinja2.TemplateError, ArithmeticError, TypeError, RecursionError)):
        run(sandbox, source, messages=["a"])


def test_time_is_bounded() -> None:
    """A rendering that takes too long is stopped at its next step."""
    now = [0.0]
    budget = RenderingBudget(clock=lambda: now[0])
    budget.step()
    now[0] = 60.0
    with pytest.raises(SecurityError, match="does not come to an end"):
        budget.step()


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (
            "{% for x in 'abc' %}{{ loop.index }}/{{ loop.length }}{{ x }}{% if loop.last %}.{% endif %}{% endfor %}",
            "1/3a2/3b3/3c.",
        ),
        ("{% for x in [] %}{% else %}none{% endfor %}", "none"),
        ("{% for k, v in {'a': 1}.items() %}{{ k ~ v ~ '!' }}{% endfor %}", "a1!"),
        ("{% for x in range(9) %}{% if x == 2 %}{% break %}{% endif %}{{ x }}{% endfor %}", "01"),
        ("{% for x in [1, 2, 3] if x > 1 %}{{ x }}{% endfor %}", "23"),
        ("{% for x in [1, [2, 3]] recursive %}{{ loop(x) if x is iterable else x }}{% endfor %}", "123"),
        ("{% for x in missing %}{% endfor %}", ""),
        ("  {% if true %}\na\n  {% endif %}\n", "a\n"),
        ("{% generation %}said{% endgeneration %}", "said"),
        ("{{ {'a': '<b> é'} | tojson }}", '{"a": "<b> é"}'),
        ("{{ {'a': 1} | tojson(indent=2) }}", '{\n  "a": 1\n}'),
        ("{{ strftime_now('%d %b') }}", "09 Mar"),
        ("{{ 'a\nb' | indent(2) }}", "a\n  b"),
        ("{{ '%s-%02d' | format('a', 7) }}{{ '%d' % 3 }}{{ 2 * 3 + 1 }}{{ '{}'.format(4) }}", "a-07374"),
    ],
)
def test_ordinary_templates(sandbox: TemplateSandbox, source: str, expected: str) -> None:
    """What templates of real models use works as Jinja and transformers define it."""
    assert run(sandbox, source) == expected


def test_variables_a_template_asks_for(sandbox: TemplateSandbox) -> None:
    """The names of the variables that a template reads are known."""
    assert sandbox.compile_template("{% if enable_thinking is defined %}{{ messages }}{% endif %}")[1] == {
        "enable_thinking",
        "messages",
    }
