"""Train the attribute classifier: `python -m training classifier --config configs/classifier.yaml --data DIR`."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from tqdm import tqdm

from pipeline.attributes import HEADS, LAYOUT
from pipeline.cutout import cut_out
from training.attribute_faces import DrawnFaces, LabelledFace, Part, balanced, consumer_groups, nih_faces, part_of
from training.attribute_labels import is_right
from training.attribute_net import AttributeNet, Probabilities, head_losses
from training.journal import Journal
from training.options import read_options
from training.trainee import Trainee
from training.views import ConsumerViews

UInt8 = NDArray[np.uint8]


def load_for_export(checkpoint: Path) -> nn.Module:
    """(N, 3, S, S) float32 RGB in [0, 255] of cut-outs on black -> (N, ATTRIBUTE_WIDTH) calibrated probabilities."""
    state = torch.load(checkpoint, map_location="cpu", weights_only=True)
    net = AttributeNet()
    net.load_state_dict(state["average"])
    module = Probabilities(net, state["temperatures"]).eval()
    module.input_size = state["size"]
    return module


class Views:
    """Batches of views with their labels, drawn anew for every step from (seed, step)."""

    def __init__(self, faces: Sequence[LabelledFace], data: Path, config: dict[str, Any]) -> None:
        self.faces, self.weights = faces, balanced(faces)
        self.drawn = DrawnFaces(data)
        self.seed = config["seed"]
        self.drawn_share, self.exact_share = config["drawn_share"], config["exact_share"]
        self.makers = {s: ConsumerViews(data, size=s, pool=250, seed=self.seed) for s in
                       {config["small_size"], config["size"]}}  # fmt: skip

    def batch(self, step: int, count: int, size: int) -> tuple[Tensor, Tensor]:
        """(count, 3, size, size) float32 in [0, 255] and (count, ATTRIBUTE_WIDTH) labels."""
        rng = np.random.default_rng((self.seed, step))
        images = np.zeros((count, size, size, 3), np.uint8)
        labels = []
        for row in range(count):
            face = (self.drawn.face(rng) if rng.random() < self.drawn_share
                    else self.faces[rng.choice(len(self.faces), p=self.weights)])  # fmt: skip
            if rng.random() < self.exact_share:
                image = exact_view(face.rgba, size)
            else:
                image = self.makers[size].view(face.rgba, rng)[..., :3]
            images[row] = np.rot90(image, 2 * rng.integers(2))
            labels.append(face.labels)
        return as_batch(images), torch.from_numpy(np.stack(labels))


def exact_view(rgba: UInt8, size: int) -> UInt8:
    """(size, size, 3): a cut-out without a fault, as those of the reference photos."""
    return cut_out(rgba[..., :3], rgba[..., 3], size=size)[..., :3]


def as_batch(images: UInt8) -> Tensor:
    """(N, S, S, 3) uint8 -> (N, 3, S, S) float32 in [0, 255]."""
    return torch.from_numpy(images).permute(0, 3, 1, 2).float().contiguous(memory_format=torch.channels_last)


def fixed_views(faces: Sequence[LabelledFace], maker: ConsumerViews, seed: int) -> tuple[UInt8, Tensor]:
    """One consumer-like view per face, always the same: (N, S, S, 3) uint8 and (N, ATTRIBUTE_WIDTH) labels."""
    images = [maker.view(face.rgba, np.random.default_rng((seed, i)))[..., :3] for i, face in enumerate(faces)]
    return np.stack(images), torch.from_numpy(np.stack([face.labels for face in faces]))


@torch.inference_mode()
def logits_of(net: nn.Module, images: UInt8) -> Tensor:
    """`net` over (N, S, S, 3) uint8 in batches of 64."""
    net.eval()
    return torch.cat([net(as_batch(images[i : i + 64])) for i in range(0, len(images), 64)])


def accuracies(logits: Tensor, labels: Tensor) -> dict[str, float]:
    """Share right per head, over the faces whose label is known; heads without one are left out."""
    shares = {}
    for head, part in LAYOUT.items():
        right = [
            verdict
            for said, true in zip(logits[:, part].numpy(), labels[:, part].numpy(), strict=True)
            if (verdict := is_right(head, said, true)) is not None
        ]
        if right:
            shares[head] = float(np.mean(right))
    return shares


def temperatures(logits: Tensor, labels: Tensor) -> dict[str, float]:
    """Per head the divisor of the logits that makes its probabilities most likely, within [0.5, 4]."""
    grid = torch.logspace(np.log10(0.5), np.log10(4), 40)
    best: dict[str, tuple[float, float]] = {}
    for temperature in grid.tolist():
        for head, loss in head_losses(logits / temperature, labels).items():
            if head not in best or loss.item() < best[head][0]:
                best[head] = (loss.item(), round(temperature, 3))
    return {head: best[head][1] if head in best else 1.0 for head in HEADS}


def trainee(net: AttributeNet, config: dict[str, Any]) -> Trainee:
    """The pretrained body learns slowly, the new heads faster; what is frozen does not learn."""
    for part in net.frozen():
        part.requires_grad_(False)
    body = [p for p in net.body.parameters() if p.requires_grad]
    rate, heads = config["rate"], list(net.heads.parameters())
    return Trainee(net, [(body, rate), (heads, rate * config["heads_factor"])], config["steps"], config["weight_decay"])


def split(faces: Sequence[LabelledFace], kept_out: frozenset[str]) -> dict[Part, list[LabelledFace]]:
    """Faces by the part that their group belongs to; `kept_out`: groups held out whatever the draw says."""
    parts: dict[Part, list[LabelledFace]] = {"train": [], "calibration": [], "held_out": []}
    for face in faces:
        parts[part_of(face.group, kept_out)].append(face)
    return parts


def train(config: dict[str, Any], data: Path, wheels: Path | None) -> dict[str, Any]:
    """Run, or go on with, the training that `config` describes. Returns the metrics."""
    torch.manual_seed(config["seed"])
    journal = Journal("classifier")
    seed, size, steps = config["seed"], config["size"], config["steps"]
    faces = split(nih_faces(data), consumer_groups(data))
    views = Views(faces["train"], data, config)
    drawn = [views.drawn.face(np.random.default_rng((seed, i, 1))) for i in range(config["drawn_calibration"])]
    calibration, calibration_labels = fixed_views([*faces["calibration"], *drawn], views.makers[size], seed)
    held_out, held_out_labels = fixed_views(faces["held_out"], views.makers[size], seed)

    net = AttributeNet(config["dropout"]).to(memory_format=torch.channels_last)
    net.start_from_imagenet(wheels)
    run = trainee(net, config)
    state = journal.resume()
    if state is not None:
        run.resume(state)
    first = int(state["step"]) if state else 0
    began, losses = time.monotonic(), []
    heat: dict[str, float] = state["temperatures"] if state else {}
    net.train()
    for step in tqdm(range(first, steps), initial=first, total=steps, desc="classifier", unit="step"):
        now = config["small_size"] if step < steps * config["small_share"] else size
        images, labels = views.batch(step, config["batch"], now)
        parts = head_losses(net(images), labels)
        loss = torch.stack([config["weights"][head] * value for head, value in parts.items()]).sum()
        run.learn(loss)
        losses.append(loss.item())
        if (step + 1) % config["log_every"] == 0 or step + 1 == steps:
            right = accuracies(logits_of(run.average.module, held_out), held_out_labels)
            row = {
                "step": step + 1,
                "loss": round(float(np.mean(losses)), 4),
                "size": now,
                **{head: round(right.get(head, float("nan")), 4) for head in HEADS},
                "seconds": round(time.monotonic() - began),
            }
            journal.log(row)
            tqdm.write(str(row))
            heat = temperatures(logits_of(run.average.module, calibration), calibration_labels)
            journal.save({"step": step + 1, "size": size, "temperatures": heat, **run.state()})
            losses = []
            net.train()
    journal.keep({"size": size, "temperatures": heat, "average": run.average.module.state_dict()})
    right = accuracies(logits_of(run.average.module, held_out), held_out_labels)
    metrics = {
        "accuracy_held_out_views": {head: round(share, 4) for head, share in right.items()},
        "n_held_out": len(held_out),
        "temperatures": heat,
        "steps": steps,
        "config": config,
    }
    journal.metrics(metrics)
    return metrics


def main(argv: list[str]) -> None:
    """Command line: see `--help`."""
    options = read_options("classifier", __doc__, argv)
    print(train(options.config, options.data, options.wheels))
