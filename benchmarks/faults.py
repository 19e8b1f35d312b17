"""`python -m benchmarks faults`: what becomes of requests while runners fail, of hostile inputs, and of memory.

Three parts, each against a real server of its own on loopback and callers that never pause. `faults`: in turn nothing,
each runner killed, held still, slow, and answering nonsense. `inputs`: broken and mutated uploads. `soak`: many
requests of all kinds (`benchmarks/mix.py`) while the memory of every process is watched. A request is lost when it gets
neither an answer nor an error in the public envelope. Ends with 1 when one was lost, an input caused a 5xx, or memory
grew by more than a twentieth.
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

from benchmarks.hostile import ADMIN_TOKEN, hostile_request
from benchmarks.mix import MIX, Mix
from benchmarks.report import RESULTS, machine
from benchmarks.saboteur import late, nonsense, sabotaged
from benchmarks.server import Server, paused, running
from pipeline.schemas import ErrorEnvelope
from pipeline.settings import ROOT

RUNNERS: Final = ("detector", "background", "classifier", "embedder", "ocr")
TIMEOUT_S: Final = 120
SERVER_ERRORS: Final = 500
MOST_GROWTH: Final = 0.05


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is sent: requests per fault, hostile inputs, requests of the soak; by how many callers.

    `late_s`: by how much a slow runner is slower; more than the service waits for it, but in the short form.
    """

    requests: int = 60
    inputs: int = 5_000
    soak: int = 10_000
    callers: int = 4
    late_s: float = 7.0


SHORT: Final = Sizes(requests=12, inputs=300, soak=200, late_s=2.0)


@dataclass(frozen=True, slots=True)
class FaultRow:
    """One fault: `answered` with 200, of these `without` some evidence, `typed` errors, `lost`; seconds until ready."""

    fault: str
    sent: int
    answered: int
    without: int
    typed: int
    lost: int
    slowest_s: float
    ready_s: float


@dataclass(frozen=True, slots=True)
class Soak:
    """`outcomes` by kind of request: (answered, typed, lost); `memory`: (requests so far, bytes by process)."""

    outcomes: dict[str, tuple[int, int, int]]
    memory: list[tuple[int, dict[str, int]]]

    @property
    def lost(self) -> int:
        """Requests lost."""
        return sum(lost for *_, lost in self.outcomes.values())

    @property
    def growth(self) -> float:
        """Of all processes together, as a share of what they had when warm."""
        start, end = (sum(sizes.values()) for _, sizes in (self.memory[0], self.memory[-1]))
        return end / start - 1


def inject_faults(server: Server, photo: bytes, sizes: Sizes, only: str = "") -> list[FaultRow]:
    """All faults in turn, or those whose name holds `only`. `photo`: a JPEG with a pill."""
    rows = [fault_row(server, photo, "none", nullcontext, sizes)] if only in "none" else []
    for name in RUNNERS:
        for fault, inject in (
            ("kill -9", lambda name=name: killed(server, name)),
            ("SIGSTOP", lambda name=name: paused(server.worker(name))),
            ("slow", lambda name=name: sabotaged(server, name, late(sizes.late_s))),
            ("nonsense", lambda name=name: sabotaged(server, name, nonsense())),
        ):
            if only in f"{fault} {name}":
                rows.append(fault_row(server, photo, f"{fault} {name}", inject, sizes))
    return rows


@contextmanager
def killed(server: Server, name: str) -> Iterator[None]:
    """Kill a runner's worker; the supervisor brings it back."""
    server.worker(name).kill()
    yield


def fault_row(
    server: Server, photo: bytes, fault: str, inject: Callable[[], AbstractContextManager[object]], sizes: Sizes
) -> FaultRow:
    """Send requests without pause; the fault comes after a quarter of them and, where it can, goes after three."""
    begins = threading.Event()
    answered = threading.Semaphore(0)
    outcomes: list[tuple[str, bool, float]] = []

    def call(_: int) -> None:
        if len(outcomes) > sizes.requests // 4:
            begins.wait()  # the fault needs its moment, and callers would be through before it
        began = time.monotonic()
        outcomes.append((*outcome(server, photo), time.monotonic() - began))
        answered.release()

    def meddle() -> None:
        """Raises what the fault raises, for instance that it did not come about."""
        for _ in range(sizes.requests // 4):
            answered.acquire()
        try:
            with inject():
                begins.set()
                for _ in range(sizes.requests // 2):
                    answered.acquire()
        finally:
            begins.set()

    with ThreadPoolExecutor(1) as meddler, ThreadPoolExecutor(sizes.callers) as callers:
        meddling = meddler.submit(meddle)
        list(callers.map(call, range(sizes.requests)))
        meddling.result()
    ready_s = server.wait_until_ready()
    kinds = Counter(kind for kind, *_ in outcomes)
    without, slowest_s = sum(missing for _, missing, _ in outcomes), max(seconds for *_, seconds in outcomes)
    return FaultRow(fault, len(outcomes), kinds["answered"], without, kinds["typed"], kinds["lost"], slowest_s, ready_s)


def outcome(server: Server, photo: bytes) -> tuple[str, bool]:
    """Send one photo: ("answered" | "typed" | "lost", whether evidence was missing)."""
    try:
        response = requests.post(f"{server.url}/v1/identify", files={"front": photo}, timeout=TIMEOUT_S)
    except requests.RequestException:
        return "lost", False
    return kind_of(response), response.ok and bool(response.json()["missing"])


def kind_of(response: requests.Response) -> str:
    """What an answer is: "answered" with success, an error "typed" in the envelope, or as good as "lost"."""
    return "answered" if response.ok else "typed" if is_enveloped(response) else "lost"


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


def adding(folder: Path) -> dict[str, str]:
    """Settings of a server that hostile inputs may also try to add items to."""
    return {"own_dir": str(folder / "own"), "admin_token": ADMIN_TOKEN}


def soak(server: Server, mix: Mix, sizes: Sizes) -> Soak:
    """Memory by process when a twentieth of the requests has warmed every process up, and after each tenth."""
    kinds: Counter[tuple[str, str]] = Counter()
    memory = []

    def ask(number: int) -> tuple[str, str]:
        name = MIX[number % len(MIX)]
        try:
            return name, kind_of(mix.send(server.url, number, TIMEOUT_S))
        except requests.RequestException:
            return name, "lost"

    with ThreadPoolExecutor(sizes.callers) as callers:
        sent = 0
        for share in (0.05, *(tenth / 10 for tenth in range(1, 11))):
            until = round(sizes.soak * share)
            kinds.update(callers.map(ask, range(sent, until)))
            sent = until
            memory.append((sent, server.resident()))
            print(f"{sent} requests, {memory[-1][1]}, {dict(kinds)}", file=sys.stderr, flush=True)
    of = {name: tuple(kinds[name, kind] for kind in ("answered", "typed", "lost")) for name in dict.fromkeys(MIX)}
    return Soak(of, memory)


def faults_page(rows: Sequence[FaultRow]) -> str:
    """The table of faults."""
    lines = [
        "| fault | sent | 200 | of these without some evidence | typed error | lost | slowest, s | ready after, s |",
        "|---|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {r.fault} | {r.sent} | {r.answered} | {r.without} | {r.typed} | **{r.lost}** | {r.slowest_s:.1f} "
        f"| {r.ready_s:.1f} |"
        for r in rows
    ]
    return "\n".join(lines)


def replace_rows(path: Path, page: str, only: str) -> None:
    """Put the rows of a table into the one of a whole run, in place of those of the same faults, and say so there."""
    fresh = {line.split(" | ")[0]: line for line in page.splitlines()[2:]}
    whole = path.read_text(encoding="utf-8").splitlines()
    asked = f"`--only {only!r}`"
    note = f"Anew on {datetime.now(UTC):%Y-%m-%d} with {asked}: {', '.join(row.strip('| ') for row in fresh)}."
    lines = [fresh.get(line.split(" | ")[0], line) for line in whole if asked not in line]
    path.write_text("\n".join([*lines, "", note, ""]).replace("\n\n\n", "\n\n"), encoding="utf-8")


def inputs_page(statuses: Counter[int]) -> str:
    """What became of the hostile inputs."""
    counted = ", ".join(f"{status}: {n}" for status, n in sorted(statuses.items()))
    return f"{sum(statuses.values())} inputs, answered 5xx or not at all: **{server_errors(statuses)}**. {counted}"


def server_errors(statuses: Counter[int]) -> int:
    """Hostile inputs that were answered with 5xx or not at all (-1)."""
    return sum(n for status, n in statuses.items() if status >= SERVER_ERRORS or status < 0)


def soak_page(result: Soak) -> str:
    """What was sent, and the memory on the way."""
    first, last = result.memory[0], result.memory[-1]
    lines = ["| request | sent | 2xx | typed error | lost |", "|---|---|---|---|---|"]
    lines += [f"| {name} | {sum(n)} | {n[0]} | {n[1]} | **{n[2]}** |" for name, n in result.outcomes.items()]
    names = sorted(first[1])
    lines += [
        "",
        f"Resident memory, MB; all processes together **{result.growth:+.1%}** from {first[0]} requests on.",
        "",
    ]
    lines += ["| requests | " + " | ".join(names) + " | together |", "|---" * (len(names) + 2) + "|"]
    lines += [
        f"| {sent} | "
        + " | ".join(f"{sizes.get(n, 0) / 1e6:.0f}" for n in names)
        + f" | {sum(sizes.values()) / 1e6:.0f} |"
        for sent, sizes in result.memory
    ]
    changes = " | ".join(f"{last[1].get(name, 0) / first[1][name] - 1:+.1%}" for name in names)
    return "\n".join([*lines, f"| change | {changes} | {result.growth:+.1%} |"])


def main(argv: Sequence[str]) -> None:
    """Entry of `python -m benchmarks faults`."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks faults", description=__doc__)
    parser.add_argument("--photo", type=Path, default=ROOT / "examples" / "front.jpg")
    parser.add_argument("--parts", default="faults,inputs,soak", help="which of the three (default: all)")
    parser.add_argument(
        "--only", default="", metavar="TEXT", help="only faults whose name holds it, into the same table"
    )
    parser.add_argument("--short", action="store_true", help="a few minutes instead of hours; writes no result file")
    arguments = parser.parse_args(argv)
    sizes = SHORT if arguments.short else Sizes(callers=max(2, psutil.cpu_count() or 2))
    good = True
    for part in arguments.parts.split(","):
        began = time.monotonic()
        with tempfile.TemporaryDirectory() as name, running(folder := Path(name), **adding(folder)) as server:
            if part == "faults":
                rows = inject_faults(server, arguments.photo.read_bytes(), sizes, arguments.only)
                page, good = faults_page(rows), good and not sum(row.lost for row in rows)
            elif part == "inputs":
                statuses = hostile_inputs(server, sizes)
                page, good = inputs_page(statuses), good and not server_errors(statuses)
            else:
                result = soak(server, Mix.of_examples(), sizes)
                page, good = soak_page(result), good and not result.lost and result.growth <= MOST_GROWTH
        if part == "faults" and arguments.only and not arguments.short:
            replace_rows(RESULTS / "faults_faults.md", page, arguments.only)
            print(page, flush=True)
            continue
        title = f"# Faults: {part}\n\n`python -m benchmarks faults --parts {part}`, "
        title += f"{datetime.now(UTC):%Y-%m-%d}, {machine()}, {(time.monotonic() - began) / 60:.0f} minutes, "
        page = f"{title}{sizes.callers} callers.\n\n{page}\n"
        print(page, flush=True)
        if not arguments.short:
            (RESULTS / f"faults_{part}.md").write_text(page, encoding="utf-8")
    sys.exit(0 if good else 1)
