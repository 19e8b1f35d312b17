"""Train the background remover: `python -m training background --config configs/background.yaml --data DIR`."""

import argparse
import os
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
import yaml
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional
from tqdm import tqdm

from pipeline.cutout import CROP_MARGIN
from training.journal import Journal
from training.mask_crops import STORED, WIDE, harden, scene_crops, view_of
from training.mask_net import SIZE, MaskNet
from training.outlined import Crops, outlined_crops, outlined_pills
from training.trainee import Trainee

UInt8 = NDArray[np.uint8]


def load_for_export(checkpoint: Path) -> nn.Module:
    """(N, 3, 192, 192) float32 RGB in [0, 255] -> (N, 1, 192, 192) probability that a pixel is the middle pill."""
    net = MaskNet()
    state = torch.load(checkpoint, map_location="cpu", weights_only=True)
    net.load_state_dict(state["average"])
    return nn.Sequential(net, nn.Sigmoid()).eval()


def mask_loss(logits: Tensor, target: Tensor) -> Tensor:
    """Cross-entropy per pixel plus Dice per image; both (N, 1, S, S), `target` in {0, 1}."""
    chance = logits.sigmoid()
    both = (chance * target).sum(dim=(1, 2, 3))
    dice = 1 - (2 * both + 1) / (chance.sum(dim=(1, 2, 3)) + target.sum(dim=(1, 2, 3)) + 1)
    return functional.binary_cross_entropy_with_logits(logits, target) + dice.mean()


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


class Batches:
    """Hardened views of stored crops, drawn anew for every step from (seed, step): resuming repeats nothing."""

    def __init__(self, pools: list[tuple[Crops, float]], seed: int) -> None:
        self.pools = [crops for crops, _ in pools]
        shares = np.array([share for _, share in pools])
        self.shares = shares / shares.sum()
        self.seed = seed

    def batch(self, step: int, count: int, size: int) -> tuple[Tensor, Tensor]:
        """(count, 3, size, size) float32 in [0, 255] and (count, 1, size, size) in {0, 1}."""
        rng = np.random.default_rng((self.seed, step))
        images = np.zeros((count, size, size, 3), np.uint8)
        masks = np.zeros((count, size, size), np.uint8)
        for row in range(count):
            pool = self.pools[rng.choice(len(self.pools), p=self.shares)]
            pick = int(rng.integers(len(pool)))
            image, masks[row] = view_of(pool.images[pick], pool.masks[pick], size, rng)
            images[row] = harden(image, masks[row], rng)
        return (
            torch.from_numpy(images).permute(0, 3, 1, 2).float().contiguous(memory_format=torch.channels_last),
            torch.from_numpy(masks[:, None]).float() / 255,
        )


def stored_scenes(data: Path, folder: Path, count: int, seed: int) -> Crops:
    """Scene crops from the cache of this run, made on first use."""
    path = folder / f"scenes-{seed}-{count}.npz"
    if not path.is_file():
        crops = scene_crops(data, count, seed)
        aside = path.with_suffix(".part.npz")
        np.savez(aside, images=crops.images, masks=crops.masks)
        aside.replace(path)
    with np.load(path) as archive:
        return Crops(archive["images"], archive["masks"])


def views(crops: Crops) -> Crops:
    """One fixed view of each stored crop, as the runner cuts it."""
    pairs = [
        view_of(image, mask, SIZE, np.random.default_rng(row))
        for row, (image, mask) in enumerate(zip(crops.images, crops.masks, strict=True))
    ]
    return Crops(np.stack([image for image, _ in pairs]), np.stack([mask for _, mask in pairs]))


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
    journal = Journal(config["folder"])
    outlined = outlined_crops(outlined_pills(data, held_out=True), CROP_MARGIN, SIZE)
    annotated = outlined_crops(outlined_pills(data, held_out=False), WIDE, STORED)
    cache, drawn = Journal("background").folder, config["scenes_seed"]
    scenes = stored_scenes(data, cache, config["scenes"], drawn)
    unseen = views(stored_scenes(data, cache, config["scenes_held_out"], drawn + 1))
    batches = Batches([(scenes, 1 - config["annotated_share"]), (annotated, config["annotated_share"])], config["seed"])

    net = MaskNet().to(memory_format=torch.channels_last)  # a quarter faster on a CPU
    if config["start"] is None:
        net.start_from_imagenet(wheels)
    else:
        net.load_state_dict(torch.load(config["start"], map_location="cpu", weights_only=True)["average"])
    run = trainee(net, config)
    state = journal.resume()
    if state is not None:
        run.resume(state)
    first, steps = int(state["step"]) if state else 0, config["steps"]
    began, losses, row = time.monotonic(), [], {}
    net.train()
    for step in tqdm(range(first, steps), initial=first, total=steps, desc="background", unit="step"):
        size = config["small_size"] if step < steps * config["small_share"] else SIZE
        images, masks = batches.batch(step, config["batch"], size)
        loss = mask_loss(net(images), masks)
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
    Journal("background").keep({"average": run.average.module.state_dict()})
    metrics = {
        "iou_boostcamp_held_out": round(mean_iou(run.average.module, outlined), 4),
        "n_boostcamp_held_out": len(outlined),
        "iou_scenes_held_out": round(mean_iou(run.average.module, unseen), 4),
        "n_scenes_held_out": len(unseen),
        "steps": steps,
        "config": config,
    }
    journal.metrics(metrics)
    return metrics


def main(argv: list[str]) -> None:
    """Command line: see `--help`."""
    parser = argparse.ArgumentParser(prog="python -m training background", description=__doc__)
    parser.add_argument("--config", type=Path, default=Path("configs/background.yaml"))
    parser.add_argument("--data", type=Path, default=os.environ.get("PILLSCOPE_DATA"), help="folder with the pill data")
    parser.add_argument("--wheels", type=Path, default=None, help="folder that holds the pinned wheels already")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads")
    options = parser.parse_args(argv)
    if options.data is None or not Path(options.data).is_dir():
        parser.error("name the folder with the pill data: --data DIR or PILLSCOPE_DATA")
    torch.set_num_threads(options.threads)
    cv2.setNumThreads(1)
    config = yaml.safe_load(options.config.read_text(encoding="utf-8"))
    print(train(config, Path(options.data), options.wheels))
