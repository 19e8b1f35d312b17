"""`python -m benchmarks scaling`: does a replica of one runner, and of that runner alone, carry more load?

The public service and replicas of one runner as processes of their own, a proxy between them. Each replica gets a CPU
limit, as a container has one, low enough that this runner and not the machine is the bottleneck. Load is raised until
throughput no longer grows; one replica is added; then, under load, one is killed, one loses its worker as when memory
runs out, and all are replaced one by one. Ends with 1 when a request failed or an answer lacked evidence.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

from benchmarks.fleet import Balancing, Fleet, fleet
from benchmarks.load import Callers, Window, load
from benchmarks.report import RESULTS, machine
from pipeline.settings import ROOT

STEPS = (1, 2, 3, 4, 6, 8)
GAIN = 1.1
"""Throughput must grow by a tenth from one step to the next, or the runner is saturated."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the table. `share`: of the calls in that time, per replica; `limited`: mean share of the periods
    in which a replica was held at its limit."""

    what: str
    replicas: int
    window: Window
    share: tuple[float, ...]
    limited: float


def measure(running: Fleet, photo: bytes, callers: int, seconds: float, what: str) -> Line:
    """Steady load for some seconds, after as much again as warms it up."""
    with load(running.public.url, photo, callers) as at_work:
        at_work.window(seconds / 4)
        before = [replica.calls() for replica in running.replicas]
        window = at_work.window(seconds)
        made = [replica.calls() - start for replica, start in zip(running.replicas, before, strict=True)]
    share = tuple(calls / max(1, sum(made)) for calls in made)
    limited = sum(replica.throttled() for replica in running.replicas) / len(running.replicas)
    return Line(what, len(running.replicas), window, share, limited)


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
    """Kill and roll under load."""
    lines = []

    def note(at_work: Callers, began: float, what: str) -> None:
        lines.append(Line(what, len(running.replicas), at_work.since(began), (), 0.0))
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
        running.kill(running.replicas[0], only_worker=True)
        time.sleep(seconds)
        note(at_work, began, "kill -9 of one replica's worker")
        began = time.monotonic()
        running.roll()
        time.sleep(seconds / 4)
        note(at_work, began, "all replicas rolled, one by one")
    return lines


def show(line: Line) -> None:
    print(row(line), flush=True)


def row(line: Line) -> str:
    window = line.window
    share = " / ".join(f"{part:.0%}" for part in line.share)
    limited = f"{line.limited:.0%}" if line.share else ""
    return (
        f"| {line.what} | {line.replicas} | {window.callers} | {len(window.outcomes)} | {window.throughput:.2f} "
        f"| {window.percentile(50):.2f} | {window.percentile(95):.2f} | {share} | {limited} | {window.failed} "
        f"| {window.without} |"
    )


def run(running: Fleet, photo: bytes, seconds: float) -> list[Line]:
    """The whole measurement with one kind of proxy."""
    lines = saturate(running, photo, seconds)
    callers = lines[-1].window.callers
    running.add()
    lines.append(measure(running, photo, callers, seconds, f"**one {running.runner} replica added**"))
    show(lines[-1])
    return lines + disturb(running, photo, callers, seconds)


def verdict(lines: Sequence[Line]) -> str:
    """The gain in words."""
    added = next(number for number, line in enumerate(lines) if line.share and line.replicas > 1)
    before, after = lines[added - 1].window, lines[added].window
    bad = sum(line.window.failed + line.window.without for line in lines)
    return (
        f"One replica more: throughput x {after.throughput / before.throughput:.2f}, "
        f"p95 x {after.percentile(95) / before.percentile(95):.2f}, at {after.callers} callers. "
        f"Failed or incomplete answers in all of it: **{bad}** of {sum(len(line.window.outcomes) for line in lines)}."
    )


HEAD = (
    "| what | replicas | callers | requests | full answers/s | p50, s | p95, s | calls per replica | at limit | failed "
    "| without evidence |\n|---|---|---|---|---|---|---|---|---|---|---|"
)


def main(argv: Sequence[str]) -> None:
    """Entry of `python -m benchmarks scaling`."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks scaling", description=__doc__)
    parser.add_argument("--runner", default="ocr", help="the one that is scaled (default: ocr, the slowest)")
    parser.add_argument("--cores", type=float, default=0.06, help="CPU limit of each of its replicas (default: .06)")
    parser.add_argument("--seconds", type=float, default=24, help="of every step (default: 24)")
    parser.add_argument("--balancing", choices=get_args(Balancing), action="append", help="default: both in turn")
    parser.add_argument("--photo", type=Path, default=ROOT / "examples" / "front.jpg")
    arguments = parser.parse_args(argv)
    photo = arguments.photo.read_bytes()
    parts, bad = [], 0
    for balancing in arguments.balancing or get_args(Balancing):
        print(f"\nThe proxy spreads {balancing}.\n\n{HEAD}", flush=True)
        with (
            tempfile.TemporaryDirectory() as name,
            fleet(Path(name), arguments.runner, arguments.cores, balancing) as running,
        ):
            lines = run(running, photo, arguments.seconds)
        print(f"\n{verdict(lines)}", flush=True)
        parts += [f"## The proxy spreads {balancing}", "", HEAD, *map(row, lines), "", verdict(lines), ""]
        bad += sum(line.window.failed + line.window.without for line in lines)
    day = datetime.now(UTC).strftime("%Y-%m-%d")
    about = (
        f"`python -m benchmarks scaling --runner {arguments.runner} --cores {arguments.cores:g}`, {day}, {machine()}. "
        f"Public service with the other four runners, replicas of `{arguments.runner}`, nginx and the callers on one "
        f"machine, which other work shared: read ratios. Each replica is held to {arguments.cores:g} of a core by a "
        "control group, as a container's CPU limit does, so that the runner and not the machine is what is short. "
        "One photo of one side a request; callers never pause."
    )
    (RESULTS / "scaling.md").write_text("\n".join(["# One runner scaled alone", "", about, "", *parts]), "utf-8")
    sys.exit(1 if bad else 0)
