"""Result tables: printed, and written to benchmarks/results/ with the machine named."""

import csv
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.rows import Row

RESULTS = Path(__file__).parent / "results"


def machine() -> str:
    """Processor and cores, in words."""
    name = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.is_file():
        lines = [line for line in info.read_text(encoding="utf-8").splitlines() if line.startswith("model name")]
        name = lines[0].partition(":")[2].strip() if lines else name
    return f"{os.cpu_count()} x {name}, {platform.system()}, Python {platform.python_version()}"


def table(rows: Sequence[Row]) -> str:
    """Markdown."""
    lines = ["| part | data | metric | value | 95 % interval | n |", "|---|---|---|---|---|---|"]
    lines += [
        f"| {r.part} | {r.dataset} | {r.metric} | {r.value:.3f} | {r.low:.3f} to {r.high:.3f} | {r.n} {r.unit} |"
        for r in rows
    ]
    return "\n".join(lines)


def write(name: str, title: str, command: str, rows: Sequence[Row], notes: str = "") -> Path:
    """Write NAME.md (table, then `notes`) and NAME.csv; returns the path of the first."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.md"
    day = datetime.now(UTC).strftime("%Y-%m-%d")
    path.write_text(f"# {title}\n\n`{command}`, {day}, {machine()}.\n\n{table(rows)}{notes}\n", encoding="utf-8")
    with path.with_suffix(".csv").open("w", newline="", encoding="utf-8") as handle:
        writer = csv.DictWriter(handle, list(asdict(rows[0])))
        writer.writeheader()
        writer.writerows(asdict(row) for row in rows)
    return path
