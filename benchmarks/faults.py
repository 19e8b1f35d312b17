"""`python -m benchmarks faults`: what becomes of requests while runners die, of hostile inputs, and of memory.

A real server on loopback, callers that never pause, and in turn: nothing, each runner killed, each runner held still;
then broken and mutated uploads; then many requests while memory is watched. A request is lost when it gets neither an
answer nor an error in the public envelope. Ends with 1 when one was lost or an input caused a 5xx.
"""

import argparse
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import psutil
import requests
from pydantic import ValidationError

from benchmarks.hostile import hostile_request
from benchmarks.report import RESULTS, machine
from benchmarks.server import Server, paused, running
from pipeline.schemas import ErrorEnvelope
from pipeline.settings import ROOT

RUNNERS: Final = ("detector", "background", "classifier", "embedder", "ocr")
TIMEOUT_S: Final = 120
SERVER_ERRORS: Final = 500


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is sent: requests per fault, hostile inputs, requests of the soak; by how many callers."""

    requests: int = 200
    inputs: int = 5_000
    soak: int = 10_000
    callers: int = 4


SHORT: Final = Sizes(requests=16, inputs=300, soak=200)


@dataclass(frozen=True, slots=True)
class FaultRow:
    """One fault: `answered` with 200, of these `without` some evidence, `typed` errors, `lost`; seconds until ready."""

    fault: str
    sent: int
    answered: int
    without: int
    typed: int
    lost: int
    ready_s: float


@dataclass(frozen=True, slots=True)
class Report:
    """`statuses`: of the hostile inputs, -1 = lost; `memory`: (requests so far, bytes of all processes)."""

    faults: list[FaultRow]
    statuses: Counter[int]
    memory: list[tuple[int, int]]

    @property
    def server_errors(self) -> int:
        """Hostile inputs that were answered with 5xx or not at all."""
        return sum(n for status, n in self.statuses.items() if status >= SERVER_ERRORS or status < 0)

    @property
    def lost(self) -> int:
        """Requests that were lost under all faults together."""
        return sum(row.lost for row in self.faults)


def measure(server: Server, photo: bytes, sizes: Sizes) -> Report:
    """Run all three parts against a ready server. `photo`: a JPEG with a pill."""
    faults = [fault_row(server, photo, "none", nullcontext, sizes)]
    for name in RUNNERS:
        faults.append(fault_row(server, photo, f"kill -9 {name}", lambda name=name: killed(server, name), sizes))
        faults.append(fault_row(server, photo, f"SIGSTOP {name}", lambda name=name: paused(server.worker(name)), sizes))
    return Report(faults, hostile_inputs(server, sizes), soak(server, photo, sizes))


@contextmanager
def killed(server: Server, name: str) -> Iterator[None]:
    """Kill a runner's worker; the supervisor brings it back."""
    server.worker(name).kill()
    yield


def fault_row(
    server: Server, photo: bytes, fault: str, inject: Callable[[], AbstractContextManager[object]], sizes: Sizes
) -> FaultRow:
    """Send requests without pause; the fault comes after a quarter of them and, where it can, goes after three."""
    begins, ends = threading.Event(), threading.Event()
    answered = threading.Semaphore(0)
    outcomes: list[tuple[str, bool]] = []

    def call(_: int) -> None:
        outcomes.append(outcome(server, photo))
        answered.release()

    def meddle() -> None:
        for _ in range(sizes.requests // 4):
            answered.acquire()
        with inject():
            begins.set()
            for _ in range(sizes.requests // 2):
                answered.acquire()
        ends.set()

    meddler = threading.Thread(target=meddle)
    meddler.start()
    with ThreadPoolExecutor(sizes.callers) as callers:
        list(callers.map(call, range(sizes.requests)))
    meddler.join()
    ready_s = server.wait_until_ready()
    kinds = Counter(kind for kind, _ in outcomes)
    without = sum(missing for _, missing in outcomes)
    return FaultRow(fault, len(outcomes), kinds["answered"], without, kinds["typed"], kinds["lost"], ready_s)


def outcome(server: Server, photo: bytes) -> tuple[str, bool]:
    """Send one photo: ("answered" | "typed" | "lost", whether evidence was missing)."""
    try:
        response = requests.post(f"{server.url}/v1/identify", files={"front": photo}, timeout=TIMEOUT_S)
    except requests.RequestException:
        return "lost", False
    if response.status_code == requests.codes.ok:
        return "answered", bool(response.json()["missing"])
    return ("typed" if is_enveloped(response) else "lost"), False


def is_enveloped(response: requests.Response) -> bool:
    """Whether an error speaks the public envelope."""
    try:
        ErrorEnvelope.model_validate_json(response.content)
    except ValidationError:
        return False
    return True


def hostile_inputs(server: Server, sizes: Sizes) -> Counter[int]:
    """Statuses of broken and mutated uploads; -1 = no answer, or an error outside the envelope."""

    def send(seed: int) -> int:
        try:
            response = hostile_request(server.url, random.Random(seed), TIMEOUT_S)
        except requests.RequestException:
            return -1
        return response.status_code if response.ok or is_enveloped(response) else -1

    with ThreadPoolExecutor(sizes.callers) as callers:
        return Counter(callers.map(send, range(sizes.inputs)))


def soak(server: Server, photo: bytes, sizes: Sizes) -> list[tuple[int, int]]:
    """Memory at the start, when a twentieth of the requests has warmed every process up, and after each tenth."""
    memory = []
    with ThreadPoolExecutor(sizes.callers) as callers:
        sent = 0
        for share in (0.05, *(tenth / 10 for tenth in range(1, 11))):
            part = round(sizes.soak * share) - sent
            list(callers.map(lambda _: outcome(server, photo), range(part)))
            sent += part
            memory.append((sent, server.resident()))
    return memory


def to_markdown(report: Report, sizes: Sizes, seconds: float) -> str:
    """The result page."""
    command = "python -m benchmarks faults" + (" --short" if sizes == SHORT else "")
    day = datetime.now(UTC).strftime("%Y-%m-%d")
    lines = [
        "# Faults", "", f"`{command}`, {day}, {machine()}, {seconds / 60:.0f} minutes, {sizes.callers} callers.", "",
        "| fault | sent | 200 | of these without some evidence | typed error | lost | ready after the last, s |",
        "|---|---|---|---|---|---|---|",
        *(
            f"| {r.fault} | {r.sent} | {r.answered} | {r.without} | {r.typed} | **{r.lost}** | {r.ready_s:.1f} |"
            for r in report.faults
        ),
        "", f"Hostile inputs: {sum(report.statuses.values())}, answered 5xx or not at all: **{report.server_errors}**. "
        + ", ".join(f"{status}: {n}" for status, n in sorted(report.statuses.items())),
    ]  # fmt: skip
    (first, start), (last, end) = report.memory[0], report.memory[-1]
    growth = f"{start / 1e6:.0f} MB after {first} requests, {end / 1e6:.0f} MB after {last} ({end / start - 1:+.1%})"
    way = ", ".join(f"{n}: {size / 1e6:.0f}" for n, size in report.memory)
    lines += ["", f"Memory of all {len(RUNNERS) + 2} processes: {growth}. On the way: {way}"]
    return "\n".join(lines) + "\n"


def main(argv: Sequence[str]) -> None:
    """Entry of `python -m benchmarks faults`."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks faults", description=__doc__)
    parser.add_argument("--photo", type=Path, default=ROOT / "examples" / "front.jpg")
    parser.add_argument("--short", action="store_true", help="a few minutes instead of hours; writes no result file")
    arguments = parser.parse_args(argv)
    sizes = SHORT if arguments.short else Sizes(callers=max(2, psutil.cpu_count() or 2))
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, running(Path(folder)) as server:
        report = measure(server, arguments.photo.read_bytes(), sizes)
    page = to_markdown(report, sizes, time.monotonic() - began)
    print(page)
    if not arguments.short:
        (RESULTS / "faults.md").write_text(page, encoding="utf-8")
    sys.exit(1 if report.lost or report.server_errors else 0)
