"""What a training run leaves behind: a checkpoint to resume from, a log line per interval, a result table."""

import csv
import json
from pathlib import Path
from typing import Any

import torch

RUNS_DIR = Path("runs")


class Journal:
    """Files of one run, under `runs/<model>/`: last.pt, best.pt, log.csv and metrics.json."""

    def __init__(self, model: str, runs: Path = RUNS_DIR) -> None:
        self.folder = runs / model
        self.folder.mkdir(parents=True, exist_ok=True)
        self.checkpoint = self.folder / "last.pt"

    def save(self, state: dict[str, Any]) -> None:
        """Replace the checkpoint; an interruption leaves the one before."""
        self._write(state, self.checkpoint)

    def keep(self, state: dict[str, Any]) -> None:
        """Write best.pt: what the finished run hands to the export."""
        self._write(state, self.folder / "best.pt")

    @staticmethod
    def _write(state: dict[str, Any], path: Path) -> None:
        aside = path.with_suffix(".part")
        torch.save(state, aside)
        aside.replace(path)

    def resume(self) -> dict[str, Any] | None:
        """The last checkpoint, or None when the run is new. Holds tensors and plain values only."""
        if not self.checkpoint.is_file():
            return None
        state: dict[str, Any] = torch.load(self.checkpoint, map_location="cpu", weights_only=True)
        return state

    def log(self, row: dict[str, float | int | str]) -> None:
        """Append one line to log.csv; the first line names the columns."""
        path = self.folder / "log.csv"
        new = not path.is_file()
        with path.open("a", newline="", encoding="utf-8") as handle:
            writer = csv.DictWriter(handle, list(row))
            if new:
                writer.writeheader()
            writer.writerow(row)

    def metrics(self, values: dict[str, Any]) -> None:
        """Write metrics.json."""
        (self.folder / "metrics.json").write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")
