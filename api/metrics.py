"""What Prometheus reads at /metrics, beside BentoML's own figures."""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

from pipeline.schemas import Identification

ANSWERS: Final = Counter("pillscope_answers", "Answers sent", ["route", "method", "status"])
IN_FLIGHT: Final = Gauge(
    "pillscope_in_flight", "Identify, detect and search requests worked on or waiting", multiprocess_mode="livesum"
)
STAGE_SECONDS: Final = Histogram(
    "pillscope_stage_seconds",
    "Time of one stage of one request",
    ["stage"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
DECISIONS: Final = Counter("pillscope_decisions", "Decisions of identify", ["decision", "reason"])
MISSING: Final = Counter("pillscope_missing_evidence", "Answers given without this evidence", ["evidence"])


def observe_stages(timings_ms: dict[str, float]) -> None:
    """Count one request's stage times, in ms by stage name."""
    for stage, milliseconds in timings_ms.items():
        STAGE_SECONDS.labels(stage).observe(milliseconds / 1000)


def observe_identification(answer: Identification) -> None:
    """Count one answer of identify: its decision, its stages, what was missing."""
    DECISIONS.labels(answer.decision, answer.reason or "").inc()
    for evidence in answer.missing:
        MISSING.labels(evidence).inc()
    observe_stages(answer.timings_ms)
