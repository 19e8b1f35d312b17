"""`python -m benchmarks bulk`: how many photos a core takes in an index build, and what that makes of ten million.

Rates are measured on photos of DATA with the shipped models, once without reading imprints and once with; processor
time of one worker, so that other work on the machine does not count. The rest is multiplication, and said so.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal

from benchmarks.report import RESULTS, machine
from index.engines.shard import Worker, Workplace
from index.photos import PhotoJob

MILLIONS: Final = 10
CORES: Final = (2, 16, 64, 256)
LAYOUTS: Final[Sequence[tuple[str, Literal["isolated", "pair"], str]]] = (
    ("one face on black (NIH)", "isolated", "nih/crops/*.jpg"),
    ("two faces beside a ruler (TFDA)", "pair", "tfda/img/*.webp"),
)


def photos_per_core_second(worker: Worker, jobs: Sequence[PhotoJob]) -> float:
    """Photos that one core finishes in a second of its time."""
    worker.study(jobs[:2])
    began = time.process_time()
    worker.study(jobs)
    return len(jobs) / (time.process_time() - began)


def row(what: str, read: bool, rate: float, count: int) -> str:
    """A line of the projection."""
    days = [MILLIONS * 1e6 / rate / cores / 86_400 for cores in CORES]
    reading = "and read" if read else "not read"
    return f"| {what}, {reading} | {count} | {rate:.2f} | " + " | ".join(f"{d:.1f}" for d in days) + " |"


def main(argv: Sequence[str]) -> None:
    """Entry of `python -m benchmarks bulk`."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks bulk", description=__doc__)
    parser.add_argument("--data", type=Path, default=os.environ.get("PILLSCOPE_DATA"), help="default: PILLSCOPE_DATA")
    parser.add_argument("--photos", type=int, default=64, help="of each kind (default: 64)")
    arguments = parser.parse_args(argv)
    if arguments.data is None:
        parser.error("say where the photos are: --data or PILLSCOPE_DATA")
    head = (
        "| photos | measured on | photos/s and core | " + " | ".join(f"{cores} cores, days" for cores in CORES) + " |\n"
        "|---|---|---|" + "---|" * len(CORES)
    )
    print(head, flush=True)
    lines = []
    with tempfile.TemporaryDirectory() as folder:
        for what, layout, pattern in LAYOUTS:
            found = sorted(arguments.data.glob(pattern))
            files = found[:: max(1, len(found) // arguments.photos)]
            for read in (False, True):
                worker = Worker(Workplace(None, Path(folder) / f"{layout}-{read}.sqlite"))
                jobs = [PhotoJob(file, layout, read) for file in files[: arguments.photos]]
                lines.append(row(what, read, photos_per_core_second(worker, jobs), len(jobs)))
                print(lines[-1], flush=True)
    day = datetime.now(UTC).strftime("%Y-%m-%d")
    about = (
        f"`python -m benchmarks bulk --photos {arguments.photos}`, {day}, {machine()}.\n\n"
        f"Days for {MILLIONS} million photos are projected from that rate: work is shared photo by photo and no worker "
        "waits for another (`--engine ray`, one actor a core). Not measured is what storage must deliver, here photos "
        "of 10 to 100 kB. Rates are in processor time of one worker. Vectors come to 5.1 GB as float16 for ten million "
        "faces. The last step, writing the index, is one process that holds every face in memory, at least 1.5 kB "
        "each: 15 GB. From there on split the catalogue into several indexes."
    )
    page = ["# Building a large index", "", about, "", head, *lines, ""]
    (RESULTS / "bulk.md").write_text("\n".join(page), "utf-8")
