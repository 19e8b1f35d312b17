"""What Prometheus reads at /metrics, beside BentoML's own figures."""

from typing import Final

from opentelemetry import trace
from prometheus_client import Counter, Gauge, Histogram

from pipeline.schemas import DetectionResult, Identification, SearchResult

ANSWERS: Final = Counter("pillscope_answers", "Answers sent", ["route", "method", "status"])
IN_FLIGHT: Final = Gauge(
    "pillscope_in_flight", "Identify, detect, search and add requests worked on or waiting", multiprocess_mode="livesum"
)
STAGE_SECONDS: Final = Histogram(
    "pillscope_stage_seconds",
    "Time of one stage of one request",
    ["stage"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
DECISIONS: Final = Counter(
    "pillscope_decisions", "Decisions of identify, and of detect per pill", ["decision", "reason"]
)
MISSING: Final = Counter("pillscope_missing_evidence", "Answers given without this evidence", ["evidence"])


def observe_identification(answer: Identification) -> None:
    """Count one answer of identify, and say on its span: its decision, its stages, what was missing."""
    DECISIONS.labels(answer.decision, answer.reason or "").inc()
    trace.get_current_span().set_attribute("pillscope.decision", answer.decision)
    _observe(answer)


def observe_detection(answer: DetectionResult) -> None:
    """The same of detect, whose pills have a decision each where they were to be identified."""
    for pill in answer.pills:
        if pill.decision is not None:
            DECISIONS.labels(pill.decision, pill.reason or "").inc()
    trace.get_current_span().set_attribute("pillscope.pills", len(answer.pills))
    _observe(answer)


def observe_search(answer: SearchResult) -> None:
    """The same of search."""
    _observe_stages(answer.timings_ms)


def _observe(answer: Identification | DetectionResult) -> None:
    for evidence in answer.missing:
        MISSING.labels(evidence).inc()
    if answer.missing:
        trace.get_current_span().set_attribute("pillscope.missing", answer.missing)
    _observe_stages(answer.timings_ms)


def _observe_stages(timings_ms: dict[str, float]) -> None:
    for stage, milliseconds in timings_ms.items():
        STAGE_SECONDS.labels(stage).observe(milliseconds / 1000)
    trace.get_current_span().set_attributes({f"pillscope.{stage}_ms": ms for stage, ms in timings_ms.items()})
