"""`--engine ray`: the same work on a Ray cluster, for catalogues of millions of photos (`pip install -e .[ray]`).

Ray Data feeds shards to actors that keep their ONNX sessions warm. An actor writes a shard's facts into a Parquet file
of its own and only says that it is there, so nothing large goes through Ray, and a build that is started again goes
on with the shards that have no file yet. Photos and shard files lie where every host reaches them by the same path.
"""

import logging
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import ray
import ray.data

from index.cache import fingerprint
from index.engines.shard import Progress, Studied, Worker, Workplace, model_hashes, shards
from index.engines.shard_file import read_shard, write_shard
from index.faces import CUTTER_VERSION, FINDER_VERSION
from index.photos import PhotoJob

SHARD: Final = 256
"""Photos of one shard: about a minute of one core, which is what a killed worker loses."""


class ShardActor:
    """A worker for the life of its process; Ray calls it with batches of one shard."""

    def __init__(self, place: Workplace) -> None:
        self._worker = Worker(place)

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        (path,), (jobs,) = batch["path"], batch["jobs"]
        studied = self._worker.study(jobs)
        write_shard(Path(path), studied)
        return {"photos": [len(jobs)], "faces": [sum(map(len, studied.facts.values()))]}


def study_with_ray(
    jobs: Sequence[PhotoJob], models_dir: Path | None, folder: Path, workers: int, tell: Callable[[str], None]
) -> Studied:
    """Study photos with `workers` actors of one core each.

    Args:
        jobs: all photos.
        models_dir: None = the shipped models.
        folder: where the Parquet files go, and those of an earlier build of the same photos are found.
        workers: on the cluster that `RAY_ADDRESS` names; without it, on this host.
        tell: progress.
    """
    made_by = fingerprint(FINDER_VERSION, CUTTER_VERSION, *sorted(model_hashes(models_dir).values()))
    files = [(folder / f"{_name(shard, made_by)}.parquet", shard) for shard in shards(jobs, SHARD)]
    missing = [{"path": str(path.absolute()), "jobs": list(shard)} for path, shard in files if not path.exists()]
    tell(f"{len(files) - len(missing)} of {len(files)} shards are there already")
    if missing:
        _run(missing, Workplace(models_dir and models_dir.absolute(), None), workers, tell)
    found = Studied()
    for path, _ in files:
        found.add(read_shard(path))
    return found


def _run(missing: list[dict[str, Any]], place: Workplace, workers: int, tell: Callable[[str], None]) -> None:
    started_here = not ray.is_initialized()
    if started_here:
        here: dict[str, Any] = {} if "RAY_ADDRESS" in os.environ else {"num_cpus": workers, "include_dashboard": False}
        os.environ.setdefault("RAY_raylet_start_wait_time_s", "180")  # its 30 s are short on a busy host
        ray.init(logging_level=logging.WARNING, log_to_driver=False, **here)
    try:
        context = ray.data.DataContext.get_current()
        context.enable_progress_bars = False
        progress = Progress(sum(len(shard["jobs"]) for shard in missing), tell, time.monotonic)
        done = ray.data.from_items(missing, override_num_blocks=len(missing)).map_batches(
            ShardActor, fn_constructor_args=(place,), batch_size=1, num_cpus=1,
            compute=ray.data.ActorPoolStrategy(size=min(workers, len(missing))),
        )  # fmt: skip
        for row in done.iter_rows():
            progress.add(int(row["photos"]), int(row["faces"]))
    finally:
        if started_here:
            ray.shutdown()


def _name(shard: Sequence[PhotoJob], made_by: str) -> str:
    """The same for the same photos, asked the same, by the same models."""
    asked = [f"{job.path}:{job.layout}:{job.read}:{'/'.join(job.shapes)}" for job in shard]
    sizes = [f"{job.path.stat().st_size}:{job.path.stat().st_mtime_ns}" if job.path.exists() else "" for job in shard]
    return fingerprint(made_by, *asked, *sizes)
