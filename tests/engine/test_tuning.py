"""The rule by which what was measured is turned into settings."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.engine.load_params import LoadParams
from bot.engine.measurement import Choice, Measurement
from bot.engine.tuning import alternatives, better, choose, search
from bot.settings import EngineSettings
from tests.support.real_engine import load_params

PARAMS = load_params(EngineSettings())
KEYS = ("n_threads", "n_threads_batch", "n_ubatch", "flash_attn")
seconds = st.floats(1e-6, 100)


def measurement(
    read_s: float = 0.01, write_s: float = 0.1, long_read_s: float | None = 0.01, **choice: Any
) -> Measurement:
    """A measurement of the default choice but for what is given."""
    return Measurement(
        choice=replace(Choice.of(PARAMS), **choice), read_s=read_s, write_s=write_s, long_read_s=long_read_s
    )


class TableMeter:
    """Makes costs up, every cost depending on one key."""

    def __init__(self, params: LoadParams, cost: Callable[[], float], *, measures: int = 100) -> None:
        """`measures` choices can be measured in the time there is."""
        self._params = params
        self._cost = cost
        self._left = measures

    def first(self) -> Measurement:
        """Made-up costs of the defaults."""
        costs = measurement(self._cost(), self._cost(), self._cost())
        return replace(costs, choice=Choice.of(self._params))

    def measure(self, choice: Choice, best: Measurement) -> Measurement | None:
        """Made-up costs of what differs."""
        self._left -= 1
        (key,) = choice.changed(best.choice)
        if key == "flash_attn":
            return replace(best, choice=choice, read_s=self._cost(), write_s=self._cost())
        cost = {"n_threads": "write_s", "n_threads_batch": "read_s", "n_ubatch": "long_read_s"}[key]
        return replace(best, choice=choice, **{cost: self._cost()})

    def has_time(self) -> bool:
        """Whether there is time for one more."""
        return self._left > 0


@pytest.mark.parametrize(
    ("other", "wins"),
    [
        (measurement(write_s=0.094, n_threads=9), True),
        (measurement(write_s=0.096, n_threads=9), False),
        (measurement(read_s=0.001, n_threads=9), False),
        (measurement(read_s=0.009, n_threads_batch=9), True),
        (measurement(write_s=0.001, n_threads_batch=9), False),
        (measurement(long_read_s=0.009, n_ubatch=128), True),
        (measurement(long_read_s=None, n_ubatch=128), False),
        (measurement(read_s=0.001, n_ubatch=128), False),
        (measurement(read_s=0.02, write_s=0.09, flash_attn=True), True),
        (measurement(read_s=0.05, write_s=0.09, flash_attn=True), False),
        (measurement(write_s=0.001), False),
        (measurement(write_s=0.001, n_threads=9, flash_attn=True), False),
    ],
)
def test_a_choice_wins_by_what_it_changes_for_people(other: Measurement, wins: bool) -> None:
    """A key is judged by the time it changes, a typical turn for flash attention, and 5 % must be gained."""
    assert (better(measurement(), other) is other) == wins


def test_a_typical_turn() -> None:
    """60 tokens are read and 150 written."""
    assert measurement(read_s=0.1, write_s=0.01).turn_s == pytest.approx(7.5)


@pytest.mark.parametrize(
    ("key", "params", "cores", "cpus", "expected"),
    [
        ("n_threads", replace(PARAMS, n_threads=2), 2, 4, (4, 1)),
        ("n_threads_batch", replace(PARAMS, n_threads_batch=8), 8, 16, (16, 7, 4)),
        ("n_threads", replace(PARAMS, n_threads=1), 1, 1, ()),
        ("n_ubatch", PARAMS, 1, 1, (128, 256)),
        ("n_ubatch", replace(PARAMS, n_batch=200, n_ubatch=200), 1, 1, (128,)),
        ("n_ubatch", replace(PARAMS, n_batch=64, n_ubatch=64), 1, 1, ()),
        ("flash_attn", replace(PARAMS, flash_attn=False), 1, 1, (True,)),
        ("flash_attn", replace(PARAMS, flash_attn=None), 1, 1, (False,)),
    ],
)
def test_what_is_tried(key: str, params: LoadParams, cores: int, cpus: int, expected: tuple[Any, ...]) -> None:
    """Thread counts come from the machine, micro-batches fit the batch, and the default is not measured twice."""
    assert alternatives(key, params, cores=cores, cpus=cpus) == expected


@given(st.data(), st.integers(1, 64), st.sampled_from([1, 2]), st.integers(0, 12), st.sets(st.sampled_from(KEYS)))
def test_the_search_ends_with_the_cheapest(
    data: st.DataObject, cores: int, smt: int, measures: int, open_keys: set[str]
) -> None:
    """Whatever things cost: only keys left open are changed, nothing measured was clearly cheaper, and time is kept."""
    params = replace(PARAMS, tunable=tuple(sorted(open_keys)), n_threads=cores, n_threads_batch=cores)
    meter = TableMeter(params, lambda: data.draw(seconds), measures=measures)
    found = list(search(params, meter, cores=cores, cpus=cores * smt))
    best = choose(found)
    assert best is not None
    assert len(found) <= measures + 1
    assert set(best.choice.changed(found[0].choice)) <= open_keys
    for each in found:
        keys = each.choice.changed(best.choice)
        if len(keys) == 1:
            cost, least = each.cost(keys[0]), best.cost(keys[0])
            assert cost is not None
            assert least is not None
            assert cost >= least * 0.949


@given(st.data(), st.integers(0, 12))
def test_a_search_that_was_cut_short_still_counts(data: st.DataObject, kept: int) -> None:
    """What was measured until then decides: nothing is chosen that was not measured."""
    meter = TableMeter(PARAMS, lambda: data.draw(seconds))
    found = list(search(PARAMS, meter, cores=2, cpus=4))[:kept]
    best = choose(found)
    assert (best is None) == (kept == 0)
    assert best is None or best in found


@given(seconds, seconds, st.none() | seconds, st.sampled_from([None, True, False]))
def test_measurements_survive_json(
    read_s: float, write_s: float, long_read_s: float | None, flash_attn: bool | None
) -> None:
    """What a child prints is what the parent reads."""
    measured = measurement(read_s, write_s, long_read_s, flash_attn=flash_attn)
    assert Measurement.from_json(measured.to_json()) == measured


@pytest.mark.parametrize("change", [{"read_s": 0}, {"write_s": -1}, {"read_s": "x"}, {"more": 1}, {"choice": {}}])
def test_no_measurement_is_refused(change: dict[str, Any]) -> None:
    """Rates that cannot be, and anything that is not a measurement, is an error."""
    with pytest.raises((TypeError, ValueError, KeyError)):
        Measurement.from_json({**measurement().to_json(), **change})
