"""Train the pill detector: an ultralytics YOLO nano with one class, from COCO tensors.

Photos with boxes and generated scenes (`training.detector_data`), in stages of growing picture size
(`configs/detector.yaml`). Everything lands under `runs/detector/`: `data/`, `stage-N/` (ultralytics' own log table and
checkpoints), `train.log`, `best.pt`, `metrics.json`. Started again it goes on where it stopped.

ultralytics and the start weights are AGPL-3.0, and so is what comes out of here.
"""

import argparse
import json
import logging
import os
import shutil
from pathlib import Path
from typing import Any

os.environ.setdefault("YOLO_OFFLINE", "true")  # read by ultralytics when it is imported
os.environ.setdefault("YOLO_AUTOINSTALL", "false")

import cv2
import numpy as np
import torch
import yaml
from torch import nn
from ultralytics import YOLO
from ultralytics.models.yolo.detect import DetectionTrainer
from ultralytics.nn.tasks import DetectionModel
from ultralytics.utils import LOGGER

from training.cutouts import read_rgb
from training.detector_data import prepare, prepare_check
from training.scenes import SceneGenerator
from training.shipped import load_shipped
from training.yolo_weights import fitting, read_tensors

RUNS = Path("runs/detector")
CHECKS = ("mypillbox_val", "crowd_val")
"""Folders under detect/ that are measured at the end and never trained or chosen on."""


def _first_step(trainer: "PillTrainer") -> None:
    trainer.step = 0


def _lower_rate(trainer: "PillTrainer") -> None:
    """Follow the learning rate's schedule within an epoch too: ultralytics' own steps are too coarse for few epochs."""
    progress = trainer.epoch + trainer.step / len(trainer.train_loader)
    for group in trainer.optimizer.param_groups:
        group["lr"] = group["initial_lr"] * trainer.lf(progress)
    trainer.step += 1


class PillTrainer(DetectionTrainer):  # type: ignore[misc]
    """ultralytics' trainer, but a new network begins from the tensors of a YOLOv5 checkpoint that fit it, or from a
    shipped ONNX file, and the learning rate falls with every step."""

    start: Path
    threads: int
    step: int  # of the epoch under way

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.add_callback("on_train_epoch_start", _first_step)
        self.add_callback("on_train_batch_start", _lower_rate)

    def get_model(self, cfg: Any = None, weights: nn.Module | None = None, verbose: bool = True) -> DetectionModel:
        torch.set_num_threads(self.threads)  # ultralytics sets its own number for CPU runs
        model = super().get_model(cfg, weights, verbose=False)
        if weights is None and self.start.suffix == ".onnx":
            count = load_shipped(model, self.start, self._some_pictures())
            LOGGER.info(f"{count} convolutions start from {self.start.name}")
        elif weights is None:
            tensors = fitting(read_tensors(self.start), model)
            model.load_state_dict(tensors, strict=False)
            LOGGER.info(f"{len(tensors)} of {len(model.state_dict())} tensors start from {self.start.name}")
        return model

    def _some_pictures(self, count: int = 16) -> torch.Tensor:
        """(count, 3, S, S) float32 in [0, 1] from the training list, stretched square."""
        listing = (Path(self.data["path"]) / self.data["train"]).read_text().split()
        chosen = listing[:: max(len(listing) // count, 1)][:count]
        side = (self.args.imgsz, self.args.imgsz)
        images = np.stack([cv2.resize(read_rgb(Path(name)), side, interpolation=cv2.INTER_AREA) for name in chosen])
        return torch.from_numpy(images).permute(0, 3, 1, 2).float() / 255


def run_stage(number: int, config: dict[str, Any], description: Path, data: Path, before: Path | None) -> Path:
    """Train one stage, or finish it, or return at once if it is done. Returns its best checkpoint.

    Args:
        number: counts from 1; names the folder `stage-N`.
        description: the data.yaml.
        before: best checkpoint of the stage before; None for the first.
    """
    folder = RUNS / f"stage-{number}"
    best, last, done = folder / "weights/best.pt", folder / "weights/last.pt", folder / "finished"
    if done.exists():
        return best
    settings = {
        **config["train"],
        **config["stages"][number - 1],
        "model": str(before or config["network"]),
        "data": str(description),
        "project": str(RUNS.resolve()),
        "name": folder.name,
        "seed": config["seed"],
        "exist_ok": True,
        "pretrained": before is not None,
        "device": "cpu",
        "workers": 0,
        "cache": "ram",
        "amp": False,
        "plots": False,
        "deterministic": False,  # the seed fixes the data; deterministic kernels only cost time on a CPU
    }
    if last.exists():
        settings["resume"] = str(last)
    trainer = PillTrainer(overrides=settings)
    # a shipped file lies in this repository, published tensors in the data folder
    trainer.start = Path(config["start"]) if config["start"].endswith(".onnx") else data / config["start"]
    trainer.threads = config["threads"]
    trainer.train()
    done.touch()
    return best


def measure(checkpoint: Path, description: Path, size: int) -> dict[str, float]:
    """Average precision, as COCO defines it, on the `val` list of a data.yaml; pictures letterboxed to a square."""
    metrics = YOLO(str(checkpoint)).val(
        data=str(description), imgsz=size, rect=False, batch=8, workers=0, plots=False, verbose=False, device="cpu",
        project=str(RUNS.resolve()), name="val", exist_ok=True,
    )  # fmt: skip
    return {"mAP50": round(float(metrics.box.map50), 4), "mAP50-95": round(float(metrics.box.map), 4)}


def train(config: dict[str, Any], data: Path) -> dict[str, Any]:
    """All of it; returns what is written to metrics.json: per set mAP50 and mAP50-95, and the input size."""
    RUNS.mkdir(parents=True, exist_ok=True)
    log = logging.FileHandler(RUNS / "train.log")
    LOGGER.addHandler(log)
    if not (RUNS / "data/data.yaml").exists():
        prepare(config, data, SceneGenerator(data), RUNS / "data")
    description = RUNS / "data/data.yaml"
    best: Path | None = None
    for number in range(1, len(config["stages"]) + 1):
        best = run_stage(number, config, description, data, best)
    if best is None:
        raise ValueError("the configuration names no stage")
    shutil.copy(best, RUNS / "best.pt")
    size = config["stages"][-1]["imgsz"]
    metrics: dict[str, Any] = {"input_size": size, "validation": measure(best, description, size)}
    for folder in CHECKS:
        if (data / "detect" / folder).exists():
            metrics[folder] = measure(best, prepare_check(data / "detect" / folder, RUNS / "data"), size)
    (RUNS / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n")
    LOGGER.removeHandler(log)
    return metrics


class _Exported(nn.Module):
    """(1, 3, S, S) float32 RGB in [0, 255] -> (1, 5, A): centre x, centre y, width, height in px, score in [0, 1]."""

    def __init__(self, net: DetectionModel, input_size: int) -> None:
        super().__init__()
        self.net, self.input_size = net, input_size

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return self.net(image * (1 / 255))  # type: ignore[no-any-return]


def load_for_export(path: Path) -> nn.Module:
    """The trained network, batch norm folded in, as `_Exported` describes; `input_size` is the S it was trained at."""
    checkpoint = torch.load(path, map_location="cpu", weights_only=False)  # our own file: pickled ultralytics modules
    net = (checkpoint.get("ema") or checkpoint["model"]).float().eval().fuse(verbose=False)
    head = net.model[-1]
    head.export, head.format = True, "onnx"
    return _Exported(net, int(checkpoint["train_args"]["imgsz"])).eval()


def main(argv: list[str]) -> None:
    """`python -m training detector`."""
    parser = argparse.ArgumentParser(prog="python -m training detector", description=__doc__)
    parser.add_argument("--config", type=Path, default=Path("configs/detector.yaml"))
    parser.add_argument(
        "--data", type=Path, default=os.environ.get("PILLSCOPE_DATA"), required="PILLSCOPE_DATA" not in os.environ,
        help="folder with the data: detect/, nih/, backgrounds/, weights/ (or env PILLSCOPE_DATA)",
    )  # fmt: skip
    args = parser.parse_args(argv)
    metrics = train(yaml.safe_load(args.config.read_text()), Path(args.data))
    print(f"{'set':<16}{'mAP50':>8}{'mAP50-95':>10}")
    for name, row in metrics.items():
        if isinstance(row, dict):
            print(f"{name:<16}{row['mAP50']:>8.3f}{row['mAP50-95']:>10.3f}")
