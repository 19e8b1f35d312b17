"""`python -m benchmarks batching`: is it worth it that waiting requests share a run of a model?

Bundles that differ in PILLSCOPE_BATCH_SIZE alone stand side by side and are asked in turn, so that a busy minute hits
all of them. Processor time says what a request costs, whatever else the machine does; requests a second and waits say
what callers get.
"""

import argparse
import re
import statistics
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import requests

from benchmarks.report import RESULTS, machine
from benchmarks.server import Server, running
from pipeline.settings import ROOT

BATCHED: Final = ("classifier", "embedder", "ocr")
TIMEOUT_S: Final = 120


@dataclass
class Tally:
    """What was measured of one bundle with one number of callers."""

    seconds: float = 0.0
    waited_ms: list[float] = field(default_factory=list)
    processor_ms: dict[str, float] = field(default_factory=lambda: dict.fromkeys(BATCHED, 0.0))
    images: float = 0.0
    runs: float = 0.0


def measure(server: Server, callers: int, photo: bytes, number: int, tally: Tally) -> None:
    """One round: `number` requests by `callers`."""

    def ask(_: int) -> float:
        began = time.perf_counter()
        requests.post(f"{server.url}/v1/identify", files={"front": photo}, timeout=TIMEOUT_S).raise_for_status()
        return (time.perf_counter() - began) * 1000

    before, (images, runs), began = processor(server), batches(server), time.perf_counter()
    with ThreadPoolExecutor(callers) as threads:
        tally.waited_ms += threads.map(ask, range(number))
    tally.seconds += time.perf_counter() - began
    for name, spent in processor(server).items():
        tally.processor_ms[name] += (spent - before[name]) * 1000
    images_now, runs_now = batches(server)
    tally.images, tally.runs = tally.images + images_now - images, tally.runs + runs_now - runs


def processor(server: Server) -> dict[str, float]:
    """Processor seconds that each runner has spent."""
    times = {name: server.worker(name).cpu_times() for name in BATCHED}
    return {name: spent.user + spent.system for name, spent in times.items()}


def batches(server: Server) -> tuple[float, float]:
    """Calls that came in batches so far, and batches, as BentoML counts them."""
    text = requests.get(f"{server.url}/metrics", timeout=TIMEOUT_S).text
    found = re.findall(r"^bentoml_service_adaptive_batch_size_(sum|count)\{.*\} (\S+)$", text, re.MULTILINE)
    return tuple(sum(float(value) for kind, value in found if kind == wanted) for wanted in ("sum", "count"))  # type: ignore[return-value]


def main(argv: Sequence[str]) -> None:
    """Entry of `python -m benchmarks batching`."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks batching", description=__doc__)
    parser.add_argument("--sizes", default="1,4,8", help="of PILLSCOPE_BATCH_SIZE (default: 1,4,8)")
    parser.add_argument("--callers", default="1,4,12", help="at once (default: 1,4,12)")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--requests", type=int, default=24, help="in a round (default: 24)")
    parser.add_argument("--photo", type=Path, default=ROOT / "examples" / "front.jpg")
    arguments = parser.parse_args(argv)
    photo = arguments.photo.read_bytes()
    sizes, callers = ([int(n) for n in text.split(",")] for text in (arguments.sizes, arguments.callers))
    tallies = {(size, many): Tally() for many in callers for size in sizes}
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        servers = {
            size: stack.enter_context(
                running(Path(folder), batch_size=str(size), deadline_s="100", runner_timeout_s="60")
            )
            for size in sizes
        }
        for server in servers.values():  # BentoML's dispatcher learns from its first calls
            measure(server, 4, photo, 2 * arguments.requests, Tally())
        for _ in range(arguments.rounds):
            for (size, many), tally in tallies.items():
                measure(servers[size], many, photo, arguments.requests, tally)
    lines = [
        "# Batching", "",
        f"`python -m benchmarks batching`, {datetime.now(UTC):%Y-%m-%d}, {machine()}. "
        "One-sided identify over the shipped models; processor time is of the runner's process.", "",
        "| batch size | callers | requests/s | median wait, ms | mean batch | "
        + " | ".join(f"{name}, CPU ms/request" for name in BATCHED) + " |", "|---" * (5 + len(BATCHED)) + "|",
    ]  # fmt: skip
    for (size, many), tally in tallies.items():
        n = len(tally.waited_ms)
        mean = f"{tally.images / tally.runs:.2f}" if tally.runs else "off"
        costs = " | ".join(f"{tally.processor_ms[name] / n:.1f}" for name in BATCHED)
        wait = statistics.median(tally.waited_ms)
        lines.append(f"| {size} | {many} | {n / tally.seconds:.2f} | {wait:.0f} | {mean} | {costs} |")
    page = "\n".join(lines) + "\n"
    print(page)
    (RESULTS / "batching.md").write_text(page, encoding="utf-8")
