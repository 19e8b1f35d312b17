"""`python -m benchmarks speed`: milliseconds per stage of one answer, in one process, on the example photos.

Times are of this machine in this minute; compare the shares, or two versions in one run.
"""

import argparse
import asyncio
import resource
import time
from collections import defaultdict
from pathlib import Path

import numpy as np

from benchmarks.report import write
from benchmarks.rows import Row
from pipeline.__main__ import load_pipeline
from pipeline.photo import read_photo
from pipeline.settings import ROOT

PART = "speed"


def spread(dataset: str, metric: str, values: list[float]) -> Row:
    """Median and the middle 95 % of what was measured."""
    low, high = np.percentile(values, [2.5, 97.5])
    return Row(PART, dataset, metric, float(np.median(values)), float(low), float(high), len(values), "answers")


def main(argv: list[str]) -> None:
    """Entry of `python -m benchmarks speed`."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks speed", description=__doc__)
    parser.add_argument("--front", type=Path, default=ROOT / "examples" / "front.jpg")
    parser.add_argument("--back", type=Path, default=ROOT / "examples" / "back.jpg")
    parser.add_argument("--rounds", type=int, default=20)
    arguments = parser.parse_args(argv)
    began = time.perf_counter()
    pipeline = load_pipeline()
    rows = [spread("start", "models and index loaded, ms", [(time.perf_counter() - began) * 1000])]
    files = {"one side": [arguments.front], "two sides": [arguments.front, arguments.back]}
    for name, paths in files.items():
        spent: dict[str, list[float]] = defaultdict(list)
        for round_number in range(arguments.rounds + 2):
            began = time.perf_counter()
            photos = [read_photo(path.read_bytes()) for path in paths]
            decoded = (time.perf_counter() - began) * 1000
            answer = asyncio.run(pipeline.identify(*photos))
            if round_number >= 2:  # the first answers warm caches and memory
                for stage, milliseconds in (*answer.timings_ms.items(), ("decode", decoded)):
                    spent[stage].append(milliseconds)
        rows += [spread(name, f"{stage}, ms", values) for stage, values in sorted(spent.items())]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    rows.append(Row(PART, "memory", "peak resident, MB", peak, peak, peak, 1, "process"))
    for row in rows:
        print(f"{row.dataset:10} {row.metric:32} {row.value:8.1f}  [{row.low:.1f} to {row.high:.1f}]")
    print(f"written to {write('speed', 'Speed, one process', 'python -m benchmarks speed', rows)}")
