"""What the background remover is trained and measured on: pools of stored crops, and batches of hardened views."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor

from pipeline.cutout import CROP_MARGIN
from pipeline.settings import settings
from runners.detector import Detector
from training.detector_data import prepare
from training.journal import Journal
from training.lookalikes import boxed_crops, mistaken_crops
from training.mask_crops import STORED, WIDE, harden, roughen, scene_crops, view_of
from training.mask_net import SIZE
from training.outlined import HELD_OUT_SHARE, Crops, outlined_crops, outlined_pills
from training.scenes import SceneGenerator


@dataclass(frozen=True, slots=True)
class Pool:
    """Stored crops to draw from. `share` of a batch; `truth`: what is known of them."""

    crops: Crops
    share: float
    truth: Literal["exact", "outlined", "pill", "no pill"]


class Batch(NamedTuple):
    """`images`: (N, 3, S, S) float32 in [0, 255]; `masks`: (N, 1, S, S) in {0, 1}; the others (N,)."""

    images: Tensor
    masks: Tensor
    is_pill: Tensor  # float32, 0 or 1
    known: Tensor  # bool: the mask counts
    exact: Tensor  # bool: so does its rim


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
        truths = []
        for row in range(count):
            pool = self.pools[rng.choice(len(self.pools), p=self.shares)]
            pick = int(rng.integers(len(pool.crops)))
            image, masks[row] = view_of(pool.crops.images[pick], pool.crops.masks[pick], size, rng)
            has_mask = pool.truth in ("exact", "outlined")
            images[row] = harden(image, masks[row], rng) if has_mask else roughen(image, rng)
            truths.append(pool.truth)
        return Batch(
            torch.from_numpy(images).permute(0, 3, 1, 2).float().contiguous(memory_format=torch.channels_last),
            torch.from_numpy(masks[:, None]).float() / 255,
            torch.tensor([truth != "no pill" for truth in truths]).float(),
            torch.tensor([truth in ("exact", "outlined") for truth in truths]),
            torch.tensor([truth == "exact" for truth in truths]),
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


def split(crops: Crops, share: float, seed: int) -> tuple[Crops, Crops]:
    """The first is trained on, the second, a run of `share` of them at a place drawn by `seed`, held out: crops of one
    picture are neighbours and mostly stay together."""
    count = round(len(crops) * share)
    first = int(np.random.default_rng(seed).integers(len(crops) - count + 1))
    out = np.zeros(len(crops), bool)
    out[first : first + count] = True
    return Crops(crops.images[~out], crops.masks[~out]), Crops(crops.images[out], crops.masks[out])


def views(crops: Crops) -> Crops:
    """One fixed view of each stored crop, as the runner cuts it."""
    if not len(crops):
        return Crops(np.zeros((0, SIZE, SIZE, 3), np.uint8), np.zeros((0, SIZE, SIZE), np.uint8))
    pairs = [
        view_of(image, mask, SIZE, np.random.default_rng(row))
        for row, (image, mask) in enumerate(zip(crops.images, crops.masks, strict=True))
    ]
    return Crops(np.stack([image for image, _ in pairs]), np.stack([mask for _, mask in pairs]))


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Views, as the runner cuts them, of what is never trained on."""

    outlined: Crops
    scenes: Crops
    boxed: Crops
    mistakes: Crops


def crops_of(config: dict[str, Any], data: Path) -> tuple[Batches, HeldOut]:
    """What a run trains on and what it is measured on; made on first use, kept under runs/background."""
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
    mistakes, unseen_mistakes = split(
        stored(
            cache / "mistakes.npz",
            lambda: mistaken_crops(
                Detector.open(settings().models_dir),
                prepare(config["pill_less"], data, SceneGenerator(data), cache / "pill_less").parent,
                data,
            ),
        ),
        HELD_OUT_SHARE,
        drawn,
    )
    boxed, unseen_boxed = split(stored(cache / "boxed.npz", lambda: boxed_crops(data)), HELD_OUT_SHARE, drawn)
    shares = config["shares"]
    batches = Batches(
        [
            Pool(scenes, shares["scenes"], "exact"),
            Pool(annotated, shares["annotated"], "outlined"),
            Pool(boxed, shares["boxed"], "pill"),
            Pool(mistakes, shares["mistakes"], "no pill"),
        ],
        config["seed"],
    )
    return batches, HeldOut(outlined, unseen, views(unseen_boxed), views(unseen_mistakes))
