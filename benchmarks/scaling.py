"""`python -m benchmarks scaling`: does a replica of one runner, and of that runner alone, carry more load?

The public service and replicas of one runner as processes of their own, a proxy between them. Each replica gets a CPU
limit, as a container has one, so that this runner and not the machine is the bottleneck: how low, is computed from what
an answer costs in the runner and in all else, measured first without a limit. Load is raised until throughput no longer
grows; one replica is added; then, under load, one is killed, all are replaced one by one, and one loses its worker as
when memory runs out. Ends with 1 when a request failed or, but for the lost worker, an answer lacked evidence.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, get_args

import numpy as np
import psutil

from benchmarks.fleet import SETTINGS, Balancing, Fleet, fleet
from benchmarks.load import Callers, Window, load
from benchmarks.quota import cpu_seconds
from benchmarks.report import RESULTS, machine
from pipeline.settings import ROOT

STEPS: Final = (1, 2, 3, 4, 6, 8)
GAIN: Final = 1.1
"""Throughput must grow by a tenth from one step to the next, or the runner is saturated."""
WORKER_KILLED: Final = "kill -9 of one replica's worker"
TIMEOUT_S: Final = float(SETTINGS["runner_timeout_s"])
BUSY: Final = 0.35
"""Share of this machine's cores that all processes together need once two replicas work at their limits. Little: at .7
a neighbour on the machine hid the gain (throughput x 1.2)."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Processor time of one answer, s: in the runner that is scaled, and in all else (callers and proxy included)."""

    runner: float
    rest: float

    def limit(self) -> float:
        """Cores for each of two replicas, so that both can be busy and the machine has time left."""
        return BUSY * (os.cpu_count() or 1) / 2 * self.runner / (self.runner + self.rest)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the table, of the time of its window.

    Attributes:
        share: of the calls, per replica.
        used: of the replicas' limits together, [0, 1].
        limited: share of the periods in which a replica that wanted to run was held at its limit.
        busy: share of the machine's cores that were in use, by whomever.
    """

    what: str
    replicas: int
    window: Window
    share: tuple[float, ...] = ()
    used: float = 0.0
    limited: float = 0.0
    busy: float = 0.0


def cost(running: Fleet, photo: bytes, seconds: float) -> Cost:
    """What an answer costs, by some seconds of load of one caller."""
    (replica,) = running.replicas
    everybody = psutil.Process()
    with load(running.public.url, photo, 1) as at_work:
        at_work.window(seconds / 4)
        before = cpu_seconds(everybody), replica.counters()[1]
        answers = len(at_work.window(seconds).outcomes)
        everything, runner = cpu_seconds(everybody) - before[0], float(replica.counters()[1] - before[1])
    return Cost(runner / answers, (everything - runner) / answers)


def measure(running: Fleet, photo: bytes, callers: int, seconds: float, what: str) -> Line:
    """Steady load for some seconds, after a quarter as much that warms it up."""
    replicas = running.replicas
    with load(running.public.url, photo, callers) as at_work:
        at_work.window(seconds / 4)
        psutil.cpu_percent()
        before = np.array([replica.counters() for replica in replicas])
        window = at_work.window(seconds)
        made = np.array([replica.counters() for replica in replicas]) - before
        busy = psutil.cpu_percent() / 100
    calls, (_, spent, held, wanted) = made[:, 0], made.sum(0)
    return Line(
        what, len(replicas), window, tuple(calls / max(1, calls.sum())),
        spent / (running.cores * window.seconds * len(replicas)), held / max(1, wanted), busy,
    )  # fmt: skip


def saturate(running: Fleet, photo: bytes, seconds: float) -> list[Line]:
    """Raise the load step by step until it brings nothing."""
    lines: list[Line] = []
    for callers in STEPS:
        lines.append(measure(running, photo, callers, seconds, "load raised"))
        show(lines[-1])
        if len(lines) > 1 and lines[-1].window.throughput < GAIN * lines[-2].window.throughput:
            break
    return lines


def disturb(running: Fleet, photo: bytes, callers: int, seconds: float) -> list[Line]:
    """Kill and roll under load; the last line is that of the killed worker."""
    lines = []

    def note(at_work: Callers, began: float, what: str) -> None:
        lines.append(Line(what, len(running.replicas), at_work.since(began)))
        show(lines[-1])

    with load(running.public.url, photo, callers) as at_work:
        at_work.window(seconds / 4)
        began = time.monotonic()
        running.kill(running.replicas[0], only_worker=False)
        time.sleep(seconds / 2)
        running.forget_the_dead()
        running.add()
        time.sleep(seconds / 4)
        note(at_work, began, "kill -9 of one replica, replaced")
        began = time.monotonic()
        running.roll()
        time.sleep(seconds / 4)
        note(at_work, began, "all replicas rolled, one by one")
        began = time.monotonic()
        running.kill(running.replicas[0], only_worker=True)
        time.sleep(max(seconds, TIMEOUT_S + 3))  # a call that waits for the dead must end within this line
        note(at_work, began, WORKER_KILLED)
    return lines


def show(line: Line) -> None:
    print(row(line), flush=True)


def row(line: Line) -> str:
    window = line.window
    share = " / ".join(f"{part:.0%}" for part in line.share)
    rest = f"{line.used:.0%} | {line.limited:.0%} | {line.busy:.0%}" if line.share else "| |"
    return (
        f"| {line.what} | {line.replicas} | {window.callers} | {len(window.outcomes)} | {window.throughput:.2f} "
        f"| {window.percentile(50):.2f} | {window.percentile(95):.2f} | {share} | {rest} | {window.failed} "
        f"| {window.without} |"
    )


def run(running: Fleet, photo: bytes, seconds: float) -> list[Line]:
    """The whole measurement with one kind of proxy."""
    lines = saturate(running, photo, seconds)
    callers = lines[-1].window.callers
    running.add()
    for number, what in ((callers, f"**one {running.runner} replica added**"), (2 * callers, "load raised with it")):
        lines.append(measure(running, photo, number, seconds, what))
        show(lines[-1])
    return lines + disturb(running, photo, callers, seconds)


def lost(lines: Sequence[Line]) -> tuple[int, int, int]:
    """Requests without a 200, answers that lacked evidence, and such answers while a killed worker was missing."""
    short = {line.what == WORKER_KILLED: 0 for line in lines}
    for line in lines:
        short[line.what == WORKER_KILLED] += line.window.without
    return sum(line.window.failed for line in lines), short.get(False, 0), short.get(True, 0)


def verdict(lines: Sequence[Line]) -> str:
    """The gain in words."""
    steady = [line for line in lines if line.share]
    before, same, raised = steady[-3].window, steady[-2].window, steady[-1].window
    failed, without, waiting = lost(lines)
    return (
        f"One replica more: at {same.callers} callers throughput x {same.throughput / before.throughput:.2f} and "
        f"p95 x {same.percentile(95) / before.percentile(95):.2f}; at {raised.callers} callers throughput "
        f"x {raised.throughput / before.throughput:.2f} and p95 x {raised.percentile(95) / before.percentile(95):.2f}. "
        f"Of {sum(len(line.window.outcomes) for line in lines)} requests **{failed}** failed and **{without}** answers "
        f"lacked evidence, replicas killed and rolled included; {waiting} more while a dead worker's port stayed open "
        f"(its supervisor keeps it; such a call waits for PILLSCOPE_RUNNER_TIMEOUT_S, here {TIMEOUT_S:g} s)."
    )


HEAD: Final = (
    "| what | replicas | callers | requests | full answers/s | p50, s | p95, s | calls per replica | of limits used "
    "| periods at limit | machine busy | failed | without evidence |\n" + "|---" * 13 + "|"
)


def about(arguments: argparse.Namespace, balancing: str, cores: float, price: Cost | None) -> str:
    """How the table was made, in words."""
    command = f"python -m benchmarks scaling --runner {arguments.runner} --seconds {arguments.seconds:g}"
    command += f" --balancing {balancing}" + (f" --cores {arguments.cores:g}" if arguments.cores else "")
    chosen = "as asked"
    if price is not None:
        chosen = (
            f"computed: an answer costs {price.runner * 1000:.0f} ms of processor time in `{arguments.runner}` and "
            f"{price.rest * 1000:.0f} ms in all else, so two replicas at this limit keep {BUSY:.0%} of the "
            "machine busy"
        )
    return (
        f"`{command}`, {datetime.now(UTC):%Y-%m-%d}, {machine()}. Public service with the other four runners, "
        f"replicas of `{arguments.runner}`, nginx and the callers on one machine: read ratios. A control group holds "
        f"each replica to {cores:.3f} of a core, as a container's CPU limit does ({chosen}). One photo of one side a "
        "request; callers never pause."
    )


def main(argv: Sequence[str]) -> None:
    """Entry of `python -m benchmarks scaling`."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks scaling", description=__doc__)
    parser.add_argument("--runner", default="ocr", help="the one that is scaled (default: ocr, the slowest)")
    parser.add_argument("--cores", type=float, help="CPU limit of each of its replicas (default: computed)")
    parser.add_argument("--seconds", type=float, default=24, help="of every step (default: 24)")
    parser.add_argument("--balancing", choices=get_args(Balancing), action="append", help="default: both in turn")
    parser.add_argument("--photo", type=Path, default=ROOT / "examples" / "front.jpg")
    arguments = parser.parse_args(argv)
    photo = arguments.photo.read_bytes()
    bad = 0
    for balancing in arguments.balancing or get_args(Balancing):
        with (
            tempfile.TemporaryDirectory() as name,
            fleet(Path(name), arguments.runner, arguments.cores or float(os.cpu_count() or 1), balancing) as running,
        ):
            price = None
            if arguments.cores is None:
                price = cost(running, photo, arguments.seconds)
                running.limit(price.limit())
            head = about(arguments, balancing, running.cores, price)
            print(f"\n{head}\n\n{HEAD}", flush=True)
            lines = run(running, photo, arguments.seconds)
        print(f"\n{verdict(lines)}", flush=True)
        title = f"# One runner scaled alone, behind a proxy that spreads {balancing}"
        page = [title, "", head, "", HEAD, *map(row, lines), "", verdict(lines), ""]
        (RESULTS / f"scaling_{balancing}.md").write_text("\n".join(page), "utf-8")
        bad += sum(lost(lines)[:2])
    sys.exit(1 if bad else 0)
