"""How every runner is served: the BentoML settings they share."""

from typing import Any, Final

RUNNER_CONFIG: Final[dict[str, Any]] = {
    # One process per runner, one call at a time in it, one ONNX Runtime thread: throughput comes from more workers.
    "workers": 1,
    "threads": 1,
    # `timeout` is the backstop behind PILLSCOPE_RUNNER_TIMEOUT_S; `max_concurrency` bounds what may wait in a
    # worker (429 beyond), so that a slow runner cannot pile up images in memory.
    "traffic": {"timeout": 60, "max_concurrency": 64},
    # BentoML 1.4.39 closes its client session every 100 calls or 300 s while other calls are on it, which loses
    # them. Never rotate. (Behind a Kubernetes Service a proxy has to spread the lasting connections.)
    "runner_connection": {"max_requests": 1_000_000_000, "max_age": 1e9},
}

# Batching: cut-outs of calls that wait at the same time share one run; a call that waited longer is answered 503.
# On one CPU thread that neither gains nor costs much (EfficientNet-Lite0 at 160 px, CPU time an image: 7.7 ms alone and
# in fours, 8.5 in eights, 9.7 in sixteens), so batches stay small; on a GPU raise the number.
MAX_BATCH: Final = 4
MAX_BATCH_LATENCY_MS: Final = 10_000
