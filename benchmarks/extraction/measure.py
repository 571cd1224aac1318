"""Reads the texts with everybody, and says who is right, and how fast."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from benchmarks.extraction.cases import Case, load_cases
from benchmarks.extraction.contenders import (
    N_CTX,
    Answer,
    FunctionCallingReader,
    HearthbotReader,
    JsonSchemaReader,
    Reader,
)
from benchmarks.extraction.grounded import Grounded, measure_grounding
from benchmarks.extraction.score import Score, score
from benchmarks.peer_server import LlamaServer
from benchmarks.report import Reach, Report, milliseconds
from benchmarks.setup import Setup
from bot.extraction.validation import Validation

HEARTHBOT = "hearthbot"
_SHARE = 3
"""Of so many texts one, for the slow and for those who say what a part gives: one of each kind in each language."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One contender's."""

    name: str
    cases: Sequence[Case]
    answers: Sequence[Answer]
    """Of the last run."""
    times: Mapping[str, float]
    """Seconds of each text: the median of the runs."""

    @property
    def score(self) -> Score:
        """Over all texts."""
        return sum(
            (score(case, answer.value) for case, answer in zip(self.cases, self.answers, strict=True)), Score(0, 0)
        )

    @property
    def valid(self) -> float:
        """Share of the answers that the schema allows, once the nulls of what may be left out are taken out."""
        return sum(map(_is_valid, self.cases, self.answers)) / len(self.cases)

    @property
    def seconds(self) -> float:
        """Of a text: the mean over the texts."""
        return sum(self.times.values()) / len(self.times)

    def against(self, other: "Result") -> float:
        """How many times as long it takes for those texts that both have read."""
        both = self.times.keys() & other.times.keys()
        return sum(self.times[each] for each in both) / sum(other.times[each] for each in both)

    def lead(self, other: "Result") -> float:
        """Share of the fields that are right, above the other's, in those texts that both have read."""
        both = {case.id for case in self.cases} & {case.id for case in other.cases}
        return self._among(both).share - other._among(both).share

    def _among(self, ids: set[str]) -> Score:
        chosen = [
            score(case, answer.value) for case, answer in zip(self.cases, self.answers, strict=True) if case.id in ids
        ]
        return sum(chosen, Score(0, 0))

    def of(self, **wanted: str) -> Score:
        """Over the texts of a kind or a language."""
        chosen = [
            score(case, answer.value)
            for case, answer in zip(self.cases, self.answers, strict=True)
            if all(getattr(case, key) == value for key, value in wanted.items())
        ]
        return sum(chosen, Score(0, 0))


async def measure(setup: Setup) -> Report:
    """Everybody reads the texts, one after the other, `setup.runs` times; those that read a share of them once."""
    every = load_cases()
    runs: dict[str, list[list[Answer]]] = {}
    steps: dict[str, int] = {}
    grounded: Grounded | None = None
    for number in range(setup.runs):
        readers = [(reader, step) for reader, step in _readers(setup) if step == 1 or not number]
        for reader, step in readers[:: -1 if number % 2 else 1]:
            cases = every[::step]
            steps[reader.name] = step
            async with reader:
                await reader.read(cases[0])  # pages are mapped, buffers allocated
                answers = [await reader.read(case) for case in cases]
                runs.setdefault(reader.name, []).append(answers)
                setup.say(f"extraction: {reader.name}: {sum(answer.seconds for answer in answers):.1f} s")
                if grounded is None and isinstance(reader, HearthbotReader):
                    grounded = await measure_grounding(reader, cases, [answer.value for answer in answers])
    assert grounded is not None
    results = {name: _result(name, every[:: steps[name]], read) for name, read in runs.items()}
    return _report(setup, every, results, grounded)


def _result(name: str, cases: Sequence[Case], runs: Sequence[Sequence[Answer]]) -> Result:
    times = {
        case.id: median(answer.seconds for answer in answers)
        for case, answers in zip(cases, zip(*runs, strict=True), strict=True)
    }
    return Result(name=name, cases=cases, answers=runs[-1], times=times)


def _readers(setup: Setup) -> list[tuple[Reader, int]]:
    """And of how many texts each reads one."""
    servers = setup.llama_servers(n_ctx=N_CTX, parallel=1)
    return [
        (HearthbotReader(setup), 1),
        (FunctionCallingReader(setup.model, setup.threads), _SHARE),
        *((JsonSchemaReader(server), 1) for server in servers if isinstance(server, LlamaServer)),
        (HearthbotReader(setup, "hearthbot without fast-forward", forward=False), _SHARE),
        (HearthbotReader(setup, "hearthbot without prefix reuse", reuse=False), _SHARE),
        (HearthbotReader(setup, "hearthbot without speculation", speculation=False), _SHARE),
    ]


def _report(setup: Setup, cases: Sequence[Case], results: dict[str, Result], grounded: Grounded) -> Report:
    ours = results[HEARTHBOT]
    peers = [each for name, each in results.items() if not name.startswith(HEARTHBOT)]
    languages = sorted({case.language for case in cases})
    reaches = [
        Reach(what="hearthbot's answers that are valid", figure=ours.valid * 100, limit=100, at_least=True, unit=" %"),
        Reach(
            what="hearthbot's fields that are right, above the better peer's in the same texts",
            figure=min(ours.lead(peer) for peer in peers) * 100,
            limit=0,
            at_least=True,
            unit=" points",
        ),
        Reach(
            what="hearthbot's time for a text, against the faster peer's",
            figure=max(ours.against(peer) for peer in peers),
            limit=0.6,
        ),
        Reach(
            what="invented values that are flagged",
            figure=_percent(grounded.invented),
            limit=95,
            at_least=True,
            unit=" %",
        ),
        Reach(
            what="changed values that are flagged",
            figure=_percent(grounded.changed),
            limit=95,
            at_least=True,
            unit=" %",
        ),
        Reach(what="right values that are flagged", figure=_percent(grounded.right), limit=3, unit=" %"),
        Reach(what="expected values that would be flagged", figure=_percent(grounded.expected), limit=3, unit=" %"),
    ]
    return Report(
        name="extraction",
        title="Extraction: JSON out of short texts",
        about=_about(cases, grounded),
        header=("", "fields right", *languages, "valid", "a text, ms", "against hearthbot"),
        rows=[
            (
                each.name,
                f"{each.score.share:.1%}",
                *(f"{each.of(language=language).share:.0%}" for language in languages),
                f"{each.valid:.1%}",
                milliseconds(each.seconds),
                f"{each.against(ours):.2f}",
            )
            for each in results.values()
        ],
        reaches=reaches,
        missing=[name for name in setup.missing if name == "llama-server"],
        raw={
            "results": {name: _raw(each) for name, each in results.items()},
            "grounding": {
                name: [getattr(grounded, name).flagged, getattr(grounded, name).values]
                for name in ("right", "expected", "changed", "invented")
            },
            "unflagged": grounded.unflagged,
        },
    )


def _about(cases: Sequence[Case], grounded: Grounded) -> str:
    return (
        f"{len(cases)} texts in English, Chinese, Spanish and German (people, invoices, orders, appointments, "
        "addresses, price lists), read one after the other by the same model with the same messages, greedily, each "
        "contender held to the same schema in its own way; llama-cpp-python and those with a part left out read every "
        "third, and are compared in these. hearthbot ends a list where the text has no room for more. A field is right "
        "when it is the expected value but for case "
        "and spacing. hearthbot's time is all of its extractor's: prompt, answer, validation, grounding. "
        f"Asked for four values that no text has, the model invented {grounded.invented.values}, of which "
        f"{grounded.invented.flagged} were flagged, and copied {grounded.copied} from elsewhere in the text, which a "
        f"look-up cannot know; of {grounded.right.values} values that were right it flagged {grounded.right.flagged}."
    )


def _percent(rate: Any) -> float:
    return float(rate.share) * 100


def _raw(result: Result) -> dict[str, Any]:
    return {
        "right": result.score.right,
        "fields": result.score.fields,
        "valid": result.valid,
        "texts_s": {each: round(seconds, 4) for each, seconds in result.times.items()},
        "kinds": {kind: result.of(kind=kind).share for kind in sorted({case.kind for case in result.cases})},
        "answers": {case.id: answer.value for case, answer in zip(result.cases, result.answers, strict=True)},
    }


def _is_valid(case: Case, answer: Answer) -> bool:
    validation = Validation(case.schema.answer)
    return answer.value is not None and validation.problem(validation.without_absent(answer.value)) is None
