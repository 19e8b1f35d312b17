"""The command line that all trainers of a network share."""

import argparse
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import torch
import yaml


@dataclass(frozen=True, slots=True)
class Options:
    """What a run is told. `wheels`: folder with the pinned wheels, `start`: checkpoint to begin from; or None."""

    config: dict[str, Any]
    data: Path
    wheels: Path | None
    start: Path | None


def read_options(model: str, description: str | None, argv: list[str], *, may_start: bool = False) -> Options:
    """Parse the command line of `python -m training MODEL` and set the threads of torch and OpenCV.

    `may_start`: whether the model takes --start. Ends the program with a usage line where something is wrong.
    """
    parser = argparse.ArgumentParser(prog=f"python -m training {model}", description=description)
    parser.add_argument("--config", type=Path, default=Path("configs") / f"{model}.yaml")
    parser.add_argument("--data", type=Path, default=os.environ.get("PILLSCOPE_DATA"), help="folder with the pill data")
    parser.add_argument("--wheels", type=Path, default=None, help="folder that holds the pinned wheels already")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads")
    if may_start:
        parser.add_argument("--start", type=Path, default=None, help="checkpoint of an earlier run to begin from")
    options = parser.parse_args(argv)
    if options.data is None or not Path(options.data).is_dir():
        parser.error("name the folder with the data: --data DIR or PILLSCOPE_DATA (see README, section Data)")
    torch.set_num_threads(options.threads)
    cv2.setNumThreads(1)
    config = yaml.safe_load(options.config.read_text(encoding="utf-8"))
    return Options(config, Path(options.data), options.wheels, getattr(options, "start", None))
