import json
import re
from datetime import UTC, datetime
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from bot.adapter_state import AdapterState
from bot.figures import DeliveryFigures, EngineFigures
from bot.metrics import Metrics
from bot.request import EngineStatus
from tests.support.scripted_core import FACTS

ROOT = Path(__file__).resolve().parents[1]

FIGURES = EngineFigures(
    prefill_tokens_per_s=None,
    decode_tokens_per_s=14.5,
    ttft_ms=12.0,
    kv_ram_bytes=1000,
    kv_disk_bytes=2000,
    kv_entries=3,
    replies=7,
    failures=1,
    prompt_tokens=900,
    cached_tokens=700,
    cache_hits=5,
    completion_tokens=120,
)


def samples(metrics: Metrics) -> dict[str, float]:
    """Return what Prometheus would read, by name and label values."""
    return {
        "/".join([sample.name, *sample.labels.values()]): sample.value
        for family in text_string_to_metric_families(metrics.exposition().decode())
        for sample in family.samples
    }


def watched(figures: EngineFigures = FIGURES) -> Metrics:
    """Metrics of a daemon with two adapters, one of them lost."""
    metrics = Metrics()
    now = datetime(2026, 1, 1, tzinfo=UTC)
    metrics.watch(
        status=lambda: EngineStatus(model="m", running=2, waiting=4, max_parallel=2, n_ctx=512),
        figures=lambda: figures,
        delivery=lambda: DeliveryFigures(under_way=3, late_chats=1, delivered=12, dropped=2),
        adapters=lambda: [
            AdapterState(name="telegram", phase="up", since=now, reason=""),
            AdapterState(name="discord", phase="stopped", since=now, reason="token"),
        ],
    )
    return metrics


def test_what_the_engine_does_is_read_when_somebody_asks() -> None:
    """Gauges and counters carry the engine's own figures; what was not measured yet is 0."""
    found = samples(watched())
    assert found["hearthbot_requests_running"] == 2
    assert found["hearthbot_requests_waiting"] == 4
    assert found["hearthbot_decode_tokens_per_second"] == 14.5
    assert found["hearthbot_prefill_tokens_per_second"] == 0
    assert found["hearthbot_replies_total"] == 7
    assert found["hearthbot_cached_prompt_tokens_total"] == 700
    assert found["hearthbot_kv_bytes/ram"] == 1000
    assert found["hearthbot_kv_bytes/disk"] == 2000


def test_each_adapter_is_up_or_not() -> None:
    """An alarm on `hearthbot_adapter_up == 0` finds the one that was lost."""
    found = samples(watched())
    assert found["hearthbot_adapter_up/telegram"] == 1
    assert found["hearthbot_adapter_up/discord"] == 0


def test_what_becomes_of_answers_is_counted() -> None:
    """An alarm on `hearthbot_chats_late` finds a platform that is up and takes nothing."""
    found = samples(watched())
    assert found["hearthbot_answers_under_way"] == 3
    assert found["hearthbot_chats_late"] == 1
    assert found["hearthbot_answers_delivered_total"] == 12
    assert found["hearthbot_answers_dropped_total"] == 2


def test_waits_are_counted_in_buckets() -> None:
    """A reply's first token came after 12 ms."""
    metrics = Metrics()
    metrics.replied(FACTS)
    found = samples(metrics)
    assert found["hearthbot_time_to_first_token_seconds_count"] == 1
    assert found["hearthbot_time_to_first_token_seconds_bucket/0.05"] == 1
    assert found["hearthbot_line_seconds_sum"] == 0.0005


def test_two_daemons_in_one_process_have_their_own() -> None:
    """Nothing is registered in the library's global registry."""
    one, other = Metrics(), Metrics()
    one.replied(FACTS)
    assert samples(other)["hearthbot_time_to_first_token_seconds_count"] == 0


def test_the_dashboard_shows_figures_that_exist() -> None:
    """A name that was changed here and not there would leave an empty plot."""
    dashboard = json.loads((ROOT / "systemd/grafana-dashboard.json").read_text())
    asked = {
        name
        for panel in dashboard["panels"]
        for target in panel["targets"]
        for name in re.findall(r"[a-z]+(?:_[a-z]+)+", target["expr"])
        if name.startswith(("hearthbot_", "process_"))
    }
    metrics = watched()
    metrics.replied(FACTS)
    there = {name.split("/")[0] for name in samples(metrics)}
    assert asked
    assert asked <= there
