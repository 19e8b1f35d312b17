"""Train the text finder: `python -m training finder --config configs/finder.yaml --data DIR`."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional
from tqdm import tqdm

from runners.ocr_find import FoundLine, lines_of
from training.background import first_weights, trainee
from training.face_views import Face, FaceLine
from training.finder_batches import Batch, Faces, view
from training.finder_net import SIZE, Exported, FinderNet
from training.journal import Journal
from training.labelled_faces import labelled_faces
from training.options import read_options
from training.signs import catalogue_words
from training.two_teachers import readings

Float32 = NDArray[np.float32]

BASE_WEIGHT: Final = 1.0
HEIGHT_WEIGHT: Final = 1.0
LIKE: Final = 1.6
"""Ratio of heights, and of widths, up to which a box found is the labelled one."""
WITHIN: Final = 15.0
"""Degrees up to which its base line is right."""


def load_for_export(checkpoint: Path) -> nn.Module:
    """The trained network as `Exported` describes."""
    net = FinderNet()
    net.load_state_dict(torch.load(checkpoint, map_location="cpu", weights_only=True)["average"])
    return Exported(net).eval()


def finder_loss(said: Tensor, batch: Batch) -> Tensor:
    """Cross-entropy and Dice of the cores where it is known what stands there; within cores errors of base line and
    height. `said`: (N, 4, h, w) of `FinderNet`."""
    core, counts = batch.targets[:, :1], batch.counts
    pixels = functional.binary_cross_entropy_with_logits(said[:, :1], core, counts * (1 + 2 * core), reduction="sum")
    chance = said[:, :1].sigmoid() * counts
    both = (chance * core).sum()
    dice = 1 - (2 * both + 1) / (chance.sum() + (core * counts).sum() + 1)
    inside = core * counts
    amount = inside.sum().clamp(min=1)
    base = ((said[:, 1:3] - batch.targets[:, 1:3]).square() * inside).sum() / amount
    high = functional.smooth_l1_loss(said[:, 3:], batch.targets[:, 3:], reduction="none", beta=0.3)
    height = (high * inside).sum() / amount
    within = BASE_WEIGHT * base + HEIGHT_WEIGHT * height
    return pixels / counts.sum() + dice + within


def found_by(net: nn.Module, faces: Sequence[Face]) -> list[list[FoundLine]]:
    """Lines on each face; corners in px of its picture."""
    net.eval()
    out = []
    with torch.inference_mode():
        for start in range(0, len(faces), 16):
            part = faces[start : start + 16]
            images = torch.from_numpy(np.stack([view(face, SIZE, None)[0] for face in part]))
            for face, answer in zip(part, Exported(net)(images).numpy(), strict=True):  # type: ignore[arg-type]
                scale = face.picture.shape[0] / SIZE
                out.append([FoundLine(line.corners * scale, line.chance) for line in lines_of(answer)])
    return out


def measure(net: nn.Module, faces: Sequence[Face]) -> dict[str, float]:
    """Of labelled lines: found as one box, of those along the right base line; and boxes per blank face."""
    found = found_by(net, faces)
    lines = [(line, boxes) for face, boxes in zip(faces, found, strict=True) for line in face.lines if line.text]
    alike = [next((box for box in boxes if _same(line, box)), None) for line, boxes in lines]
    hits = [(line, box) for (line, _), box in zip(lines, alike, strict=True) if box is not None]
    blank = [len(boxes) for face, boxes in zip(faces, found, strict=True) if face.complete and not face.lines]
    along = [_turn(line.corners, box.corners) < WITHIN for line, box in hits]
    return {
        "found": round(len(hits) / max(len(lines), 1), 4),
        "along": round(float(np.mean(along)), 4) if along else float("nan"),
        "boxes_per_blank": round(float(np.mean(blank)), 3) if blank else float("nan"),
    }


def _same(line: FaceLine, box: FoundLine) -> bool:
    def sides(corners: Float32) -> Float32:
        return np.asarray(np.sort([np.linalg.norm(corners[i] - corners[i + 1]) for i in (0, 1)]), np.float32)

    ratio = sides(line.corners) / sides(box.corners)
    near = np.linalg.norm(line.corners.mean(axis=0) - box.corners.mean(axis=0)) < 0.3 * sides(line.corners).mean()
    return bool(near and (ratio < LIKE).all() and (ratio > 1 / LIKE).all())


def _turn(one: Float32, other: Float32) -> float:
    """Degrees between two base lines, at most 90."""
    a, b = one[1] - one[0], other[1] - other[0]
    return float(np.degrees(np.arctan2(abs(a[0] * b[1] - a[1] * b[0]), abs(a @ b))))


def train(config: dict[str, Any], data: Path, wheels: Path | None, start: Path | None = None) -> dict[str, Any]:
    """Run, or go on with, the training that `config` describes. Returns the metrics."""
    torch.manual_seed(config["seed"])
    journal = Journal("finder")
    read = readings(data, int(config["tfda_pills"]), journal.folder)
    parts = {
        (source, part): labelled_faces([[f for f in faces if f.part == part] for faces in found])
        for source, found in read.items() if found for part in ("train", "tuning")
    }  # fmt: skip
    del read
    tuning = parts["nih", "tuning"]
    drawn = Faces(parts["nih", "train"], parts.get(("tfda", "train"), []), catalogue_words(data), config)

    net = FinderNet().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    first_weights(net, start, wheels, lambda: drawn.batch(0, config["batch"], SIZE).images)
    run = trainee(net, config)
    first, steps = run.go_on(journal), config["steps"]
    began, losses, row = time.monotonic(), [], {}
    for step in tqdm(range(first, steps), initial=first, total=steps, desc="finder", unit="step", mininterval=20):
        net.train()
        size = config["small_size"] if step < steps * config["small_share"] else SIZE
        batch = drawn.batch(step, config["batch"], size)
        loss = finder_loss(net(batch.images), batch)
        run.learn(loss)
        losses.append(loss.item())
        if (step + 1) % config["log_every"] == 0 or step + 1 == steps:
            row = {"step": step + 1, "loss": round(float(np.mean(losses)), 4),
                   **measure(run.average.module, tuning), "seconds": round(time.monotonic() - began)}  # fmt: skip
            journal.log(row)
            tqdm.write(str(row))
            journal.save({"step": step + 1, **run.state()})
            losses = []
    journal.keep({"average": run.average.module.state_dict()})
    metrics = {
        **row,
        "n_lines": sum(bool(line.text) for face in tuning for line in face.lines),
        "n_training_faces": {source: len(faces) for (source, part), faces in parts.items() if part == "train"},
        "config": config,
    }
    journal.metrics(metrics)
    return metrics


def main(argv: list[str]) -> None:
    """Command line: see `--help`."""
    options = read_options("finder", __doc__, argv, may_start=True)
    print(train(options.config, options.data, options.wheels, options.start))
