"""`--engine local`, the default: worker processes on this host, which share the build's cache."""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from index.engines.shard import Progress, Studied, Worker, Workplace, shards
from index.photos import PhotoJob

_worker: Worker | None = None  # of this process; opened by the pool before its first shard


def study_in_pool(jobs: Sequence[PhotoJob], place: Workplace, workers: int, tell: Callable[[str], None]) -> Studied:
    """Study photos in `workers` processes, one core each; one worker needs no process of its own.

    A stopped build goes on where it was: each shard's facts are in the cache when it is done.
    """
    progress, found = Progress(len(jobs), tell, time.monotonic), Studied()
    for shard, studied in _studied(shards(jobs), place, min(workers, len(jobs))):
        found.add(studied)
        progress.add(len(shard), sum(map(len, studied.facts.values())))
    return found


def _studied(
    parts: Sequence[Sequence[PhotoJob]], place: Workplace, workers: int
) -> Iterator[tuple[Sequence[PhotoJob], Studied]]:
    """Each shard with what was found, in order."""
    if workers <= 1:
        worker = Worker(place)
        for part in parts:
            yield part, worker.study(part)
        return
    # spawned, not forked: ONNX Runtime and OpenCV have threads, which a fork would leave behind in mid-step
    with ProcessPoolExecutor(workers, get_context("spawn"), _open, (place,)) as pool:
        yield from zip(parts, pool.map(_study, parts), strict=True)


def _open(place: Workplace) -> None:
    global _worker  # noqa: PLW0603  # a pool's initializer has no other way to leave something for its tasks
    _worker = Worker(place)


def _study(shard: Sequence[PhotoJob]) -> Studied:
    if _worker is None:
        raise RuntimeError("the pool did not open this worker")
    return _worker.study(shard)
