"""What is measured of the daemon, for Prometheus."""

from collections.abc import Callable, Iterable, Sequence

from prometheus_client import CollectorRegistry, Histogram, PlatformCollector, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_1_0_0, generate_latest
from prometheus_client.registry import Collector

from bot.adapter_state import AdapterState
from bot.figures import DeliveryFigures, EngineFigures
from bot.messages import ReplyFacts
from bot.request import EngineStatus

_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)
"""A slow box reads for minutes."""


class Metrics:
    """One registry; its figures are taken when somebody asks, apart from those of each reply.

    Names follow https://prometheus.io/docs/practices/naming/.
    """

    content_type = CONTENT_TYPE_PLAIN_1_0_0

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)
        self._first_token = Histogram(
            "hearthbot_time_to_first_token_seconds",
            "From a request's arrival to its first token.",
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._in_line = Histogram(
            "hearthbot_line_seconds",
            "From a request's arrival until it is served.",
            buckets=_SECONDS,
            registry=self._registry,
        )

    def replied(self, facts: ReplyFacts) -> None:
        """Take note of a reply."""
        self._in_line.observe(facts.timings.queue_ms / 1000)
        if facts.usage.completion_tokens:
            self._first_token.observe(facts.timings.ttft_ms / 1000)

    def watch(
        self,
        *,
        status: Callable[[], EngineStatus],
        figures: Callable[[], EngineFigures],
        delivery: Callable[[], DeliveryFigures],
        adapters: Callable[[], Sequence[AdapterState]],
    ) -> None:
        """Ask these from now on."""
        self._registry.register(_Watched(status, figures, delivery, adapters))

    def exposition(self) -> bytes:
        """Everything, in Prometheus' text format."""
        return generate_latest(self._registry)


class _Watched(Collector):
    def __init__(
        self,
        status: Callable[[], EngineStatus],
        figures: Callable[[], EngineFigures],
        delivery: Callable[[], DeliveryFigures],
        adapters: Callable[[], Sequence[AdapterState]],
    ) -> None:
        self._status = status
        self._figures = figures
        self._delivery = delivery
        self._adapters = adapters

    def collect(self) -> Iterable[Metric]:
        """Every figure as of now."""
        status, figures = self._status(), self._figures()
        yield _gauge("model_loaded", "Whether the model is in memory.", status.loaded)
        yield _gauge("requests_running", "Replies being written.", status.running)
        yield _gauge("requests_waiting", "Requests in the line.", status.waiting)
        yield _gauge("requests_parallel_limit", "Replies that can be written at the same time.", status.max_parallel)
        yield _gauge("prefill_tokens_per_second", "How fast prompts are read.", figures.prefill_tokens_per_s or 0)
        yield _gauge("decode_tokens_per_second", "How fast replies are written.", figures.decode_tokens_per_s or 0)
        yield _counter("replies", "Requests that ended without an error.", figures.replies)
        yield _counter("failures", "Requests that ended with an error.", figures.failures)
        yield _counter("prompt_tokens", "Tokens of all prompts.", figures.prompt_tokens)
        yield _counter("cached_prompt_tokens", "The part that was not read again.", figures.cached_tokens)
        yield _counter("cache_hits", "Replies part of whose prompt was not read again.", figures.cache_hits)
        yield _counter("completion_tokens", "Tokens of all replies.", figures.completion_tokens)
        kept = GaugeMetricFamily("hearthbot_kv_bytes", "KV states of idle conversations.", labels=["place"])
        kept.add_metric(["ram"], figures.kv_ram_bytes)
        kept.add_metric(["disk"], figures.kv_disk_bytes)
        yield kept
        yield _gauge("kv_states", "How many KV states are kept.", figures.kv_entries)
        delivery = self._delivery()
        yield _gauge("answers_under_way", "Messages whose answer is worked on.", delivery.under_way)
        yield _gauge("chats_late", "Chats with an answer that did not get through yet.", delivery.late_chats)
        yield _counter("answers_delivered", "Answers that people have.", delivery.delivered)
        yield _counter("answers_dropped", "Answers that nobody will see any more.", delivery.dropped)
        up = GaugeMetricFamily("hearthbot_adapter_up", "Whether the adapter is connected.", labels=["adapter"])
        for adapter in self._adapters():
            up.add_metric([adapter.name], adapter.phase == "up")
        yield up


def _gauge(name: str, about: str, value: float) -> Metric:
    return GaugeMetricFamily(f"hearthbot_{name}", about, value=value)


def _counter(name: str, about: str, value: float) -> Metric:
    return CounterMetricFamily(f"hearthbot_{name}", about, value=value)
