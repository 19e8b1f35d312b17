"""What the background remover is trained and measured on: pools of stored crops, and batches of hardened views."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from pipeline.cutout import CROP_MARGIN
from training.journal import Journal
from training.mask_crops import STORED, WIDE, harden, scene_crops, view_of
from training.mask_net import SIZE
from training.outlined import Crops, outlined_crops, outlined_pills


@dataclass(frozen=True, slots=True)
class Pool:
    """Stored crops to draw from. `share` of a batch; `exact`: generated, so their outlines are pixel-exact."""

    crops: Crops
    share: float
    exact: bool


class Batch(NamedTuple):
    """`images`: (N, 3, S, S) float32 in [0, 255]; `masks`: (N, 1, S, S) in {0, 1}; `exact`: (N,) bool."""

    images: Tensor
    masks: Tensor
    exact: Tensor


class Batches:
    """Hardened views of stored crops, drawn anew for every step from (seed, step): resuming repeats nothing."""

    def __init__(self, pools: list[Pool], seed: int) -> None:
        self.pools = [pool for pool in pools if len(pool.crops)]
        shares = np.array([pool.share for pool in self.pools])
        self.shares = shares / shares.sum()
        self.seed = seed

    def batch(self, step: int, count: int, size: int) -> Batch:
        """`count` views of `size` px."""
        rng = np.random.default_rng((self.seed, step))
        images = np.zeros((count, size, size, 3), np.uint8)
        masks = np.zeros((count, size, size), np.uint8)
        exact = []
        for row in range(count):
            pool = self.pools[rng.choice(len(self.pools), p=self.shares)]
            pick = int(rng.integers(len(pool.crops)))
            image, masks[row] = view_of(pool.crops.images[pick], pool.crops.masks[pick], size, rng)
            images[row] = harden(image, masks[row], rng)
            exact.append(pool.exact)
        return Batch(
            torch.from_numpy(images).permute(0, 3, 1, 2).float().contiguous(memory_format=torch.channels_last),
            torch.from_numpy(masks[:, None]).float() / 255,
            torch.tensor(exact),
        )


def stored(path: Path, make: Callable[[], Crops]) -> Crops:
    """Crops from the cache of this run, made on first use."""
    if not path.is_file():
        crops = make()
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


def crops_of(config: dict[str, Any], data: Path) -> tuple[Batches, Crops, Crops]:
    """What a run trains on; outlined and generated crops that it is measured on, as the runner cuts them. Made on first
    use, kept under runs/background."""
    outlined = outlined_crops(outlined_pills(data, held_out=True), CROP_MARGIN, SIZE)
    annotated = outlined_crops(outlined_pills(data, held_out=False), WIDE, STORED)
    cache, drawn = Journal("background").folder, config["scenes_seed"]
    scenes = stored(
        cache / f"scenes-{drawn}-{config['scenes']}.npz", lambda: scene_crops(data, config["scenes"], drawn)
    )
    kept_back = config["scenes_held_out"]
    unseen = views(
        stored(cache / f"scenes-{drawn + 1}-{kept_back}.npz", lambda: scene_crops(data, kept_back, drawn + 1))
    )
    share = config["annotated_share"]
    pools = [Pool(scenes, 1 - share, exact=True), Pool(annotated, share, exact=False)]
    return Batches(pools, config["seed"]), outlined, unseen
