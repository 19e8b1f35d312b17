"""`python -m benchmarks roles`: what each role of a split bundle needs, for sizes in deploy/ and docs/operations.md.

The public service and every runner as a process family of its own, as a container has it: BentoML's supervisor and the
worker. Memory is what both hold after the answers (shared pages counted in each), processor time what they spend on one
answer, so other work on the machine does not count.
"""

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import psutil
import requests

from benchmarks.fleet import ROLE, SETTINGS, START, TOKEN
from benchmarks.quota import cpu_seconds
from benchmarks.report import RESULTS, machine
from benchmarks.server import Server, launch, stop
from pipeline.settings import ROOT

RUNNERS: Final = ("detector", "background", "classifier", "embedder", "ocr")
AIM: Final = 0.35
"""Cores a replica uses when the autoscaler adds one: 70 % of the request of half a core (deploy/kubernetes)."""


@contextmanager
def split(folder: Path) -> Iterator[dict[str, Server]]:
    """All six roles by name, ready; `public` last."""
    settings = {"runner_token": TOKEN, "log_level": "warning", **SETTINGS}
    roles: dict[str, Server] = {}
    try:
        for name in RUNNERS:
            roles[name] = launch(START, [*ROLE, "--service-name", name], folder, **settings)
            roles[name].wait_until_ready()
        addresses = [f"--depends={name}={server.url}" for name, server in roles.items()]
        roles["public"] = launch(START, [*ROLE, "--service-name", "pillscope", *addresses], folder, **settings)
        roles["public"].wait_until_ready()
        yield roles
    finally:
        for server in roles.values():
            stop(server)


def ask(url: str, files: dict[str, bytes], times: int) -> None:
    """Pictures of one pill, again and again. Raises `RuntimeError` for an answer that is not whole."""
    for _ in range(times):
        answer = requests.post(f"{url}/v1/identify", files=files, timeout=120)
        if not answer.ok or answer.json()["missing"]:
            raise RuntimeError(answer.text[:500])


def main(argv: Sequence[str]) -> None:
    """Entry of `python -m benchmarks roles`."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks roles", description=__doc__)
    parser.add_argument("--answers", type=int, default=40, help="of one side, and as many of two (default: 40)")
    arguments = parser.parse_args(argv)
    front, back = ((ROOT / "examples" / f"{side}.jpg").read_bytes() for side in ("front", "back"))
    spent: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder, split(Path(folder)) as roles:
        families = {name: psutil.Process(server.process.pid) for name, server in roles.items()}
        for files in ({"front": front}, {"front": front, "back": back}):
            ask(roles["public"].url, files, 3)
            before = {name: cpu_seconds(family) for name, family in families.items()}
            ask(roles["public"].url, files, arguments.answers)
            for name, family in families.items():
                spent.setdefault(name, []).append((cpu_seconds(family) - before[name]) / arguments.answers)
        memory = {name: server.resident() for name, server in roles.items()}
    head = (
        "| role | memory, MB | of it supervisor | CPU, ms, one side | CPU, ms, two sides | answers/s a replica |\n"
        + "|---" * 6
        + "|"
    )
    lines = [
        f"| {name} | {sum(held.values()) / 1e6:.0f} | {held['supervisor'] / 1e6:.0f} | {spent[name][0] * 1000:.0f} "
        f"| {spent[name][1] * 1000:.0f} | {AIM / spent[name][1]:.1f} |"
        for name, held in memory.items()
    ]
    total = [sum(figures) for figures in zip(*spent.values(), strict=True)]
    lines.append(
        f"| all | {sum(sum(held.values()) for held in memory.values()) / 1e6:.0f} | | {total[0] * 1000:.0f} "
        f"| {total[1] * 1000:.0f} | |"
    )
    print(head, *lines, sep="\n")
    about = (
        f"`python -m benchmarks roles --answers {arguments.answers}`, {datetime.now(UTC):%Y-%m-%d}, {machine()}. The "
        f"example pair, one request at a time. Last column: two sides, until the autoscaler adds a replica at "
        f"{AIM:g} cores.\n\n" + " ".join(str(__doc__).partition("\n\n")[2].split())
    )
    (RESULTS / "roles.md").write_text("\n".join(["# Each role alone", "", about, "", head, *lines, ""]), "utf-8")
