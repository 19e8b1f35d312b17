"""Generated photos: real pills, cut out exactly, laid on real and made backgrounds, with all that is known of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from training.appearance import bleed, cast, degrade, relight, side_wall, turn
from training.cutouts import PillImage, load_nih_crops
from training.distractors import random_thing
from training.photographed import Photographed
from training.textures import Backgrounds

UInt8 = NDArray[np.uint8]


NOT_A_PILL = 255
"""Mark of distractors while a scene is made; never in a finished `Scene.instance`."""


@dataclass(frozen=True, slots=True)
class Scene:
    """A generated photo and its truth."""

    image: UInt8  # (H, W, 3) RGB
    boxes: NDArray[np.float32]  # (n, 4) x1, y1, x2, y2 px, of what can be seen of each pill
    instance: UInt8  # (H, W): 0 background, i + 1 where pill i is on top
    identities: list[str]  # crop file of each pill


def cast_shadow(image: NDArray[np.float32], mask: UInt8, rng: np.random.Generator) -> None:
    """Darken `image` (H, W, 3) float32 in place where the pill `mask` keeps the light away: a contact shadow close to
    the rim and, mostly, a longer soft one to one side."""
    extent = max(cv2.boundingRect(mask)[2:])
    shade = np.ones(mask.shape, np.float32)
    for reach, blur, depth in (
        (0.03, 0.025, rng.uniform(0.1, 0.5)),
        (rng.uniform(0.04, 0.25), rng.uniform(0.03, 0.12), rng.uniform(0.0, 0.6)),
    ):
        angle = rng.uniform(0, 2 * np.pi)
        shift = np.array([[1, 0, np.cos(angle) * reach * extent], [0, 1, np.sin(angle) * reach * extent]])
        moved = cv2.warpAffine(mask, shift, mask.shape[::-1])
        window = max(int(blur * extent * 1.8), 1) | 1
        soft = cv2.blur(cv2.blur(moved, (window, window)), (window, window))
        shade *= 1 - np.float32(depth / 255) * soft
    image *= shade[..., None]


class SceneGenerator:
    """Makes scenes from the NIH crops and backgrounds under `data`.

    Args:
        data: folder with nih/ and backgrounds/.
        pills: use these pills instead of loading all NIH crops.
        photographed: half of the things that lie about are of these, the others drawn.
    """

    def __init__(
        self, data: Path, pills: Sequence[PillImage] | None = None, photographed: Photographed | None = None
    ) -> None:
        self.photographed = photographed
        self.pills = list(pills) if pills is not None else load_nih_crops(data)
        self.backgrounds = Backgrounds(data)

    def scene(
        self, rng: np.random.Generator, size: tuple[int, int], pills: int,
        extent: tuple[float, float] = (0.08, 0.3), touching: float = 0.3, *, things: int = 0,
        thing_extent: tuple[float, float] = (0.1, 0.6),
    ) -> Scene:  # fmt: skip
        """One photo of (height, width) `size` with up to `pills` pills.

        Args:
            extent: long side of a pill as a share of the photo's short side, drawn log-uniformly from this range.
            touching: chance that a pill may be laid against (slightly over) one that is there already.
            things: up to so many coins, fingers, keys and the like (`training.distractors`) lie about.
            thing_extent: as `extent`, of those.
        """
        height, width = size
        image = self.backgrounds.sample(rng, height, width).astype(np.float32)
        instance = np.zeros(size, np.uint8)
        identities: list[str] = []
        for _ in range(things):
            length = int(min(size) * np.exp(rng.uniform(*np.log(thing_extent))))
            if self.photographed is not None and rng.random() < 0.5:
                thing = self.photographed.draw(rng, length)
            else:
                thing = random_thing(rng, length)
            self._place(image, instance, thing, rng, touching=touching, number=NOT_A_PILL)
        same_kind = rng.random() < 0.3  # a bottle poured out: many of one kind
        pick = int(rng.integers(len(self.pills)))
        length = min(size) * np.exp(rng.uniform(*np.log(extent)))
        for _ in range(pills):
            if not same_kind:
                pick = int(rng.integers(len(self.pills)))
                length = min(size) * np.exp(rng.uniform(*np.log(extent)))
            pill = self.pills[pick]
            rgba = pose(pill.rgba, rng, max(int(length), 12))
            if self._place(image, instance, rgba, rng, touching=touching, number=len(identities) + 1):
                identities.append(pill.file)
        image = cast(image, rng, 0.8)
        finished = degrade(np.asarray(np.clip(image, 0, 255), np.uint8), rng, 0.8)
        keep, boxes = [], []
        for i in range(len(identities)):
            x, y, w, h = cv2.boundingRect((instance == i + 1).astype(np.uint8))
            keep.append(w >= 5 and h >= 5)
            boxes.append((x, y, x + w, y + h))
        relabel = np.zeros(256, np.uint8)
        relabel[[i + 1 for i, k in enumerate(keep) if k]] = np.arange(1, sum(keep) + 1)
        return Scene(
            finished,
            np.array([b for b, k in zip(boxes, keep, strict=True) if k], np.float32).reshape(-1, 4),
            relabel[instance],
            [n for n, k in zip(identities, keep, strict=True) if k],
        )

    def _place(
        self, image: NDArray[np.float32], instance: UInt8, rgba: UInt8, rng: np.random.Generator, *, touching: float,
        number: int,
    ) -> bool:  # fmt: skip
        """Lay one posed pill into the scene, in place; False when no free place was found in a few tries."""
        height, width = instance.shape
        x, y, w, h = cv2.boundingRect(rgba[..., 3])
        rgba = rgba[y : y + h, x : x + w]
        mask = rgba[..., 3] > 0
        for _ in range(12):
            left = int(rng.integers(-w // 6, max(width - w + w // 6, 1)))
            top = int(rng.integers(-h // 6, max(height - h + h // 6, 1)))
            x0, y0, x1, y1 = max(left, 0), max(top, 0), min(left + w, width), min(top + h, height)
            part = mask[y0 - top : y1 - top, x0 - left : x1 - left]
            taken = instance[y0:y1, x0:x1] > 0
            overlap = (part & taken).sum() / max(mask.sum(), 1)
            if part.sum() < 0.55 * mask.sum() or overlap > (0.06 if rng.random() < touching else 0.0):
                continue
            full = np.zeros((height, width), np.uint8)
            full[y0:y1, x0:x1] = part * 255
            before = image.copy() if taken.any() else None
            cast_shadow(image, full, rng)
            if before is not None:  # a neighbour is not darkened by more than its own rim
                others = instance > 0
                image[others] = before[others]
            free = part & ~taken
            soft = cv2.GaussianBlur(free.astype(np.float32), (0, 0), 0.6)[..., None]
            soft = np.where(free[..., None], np.maximum(soft, 0.5), np.minimum(soft, 0.5) * ~taken[..., None])
            region = image[y0:y1, x0:x1]
            face = bleed(rgba)[y0 - top : y1 - top, x0 - left : x1 - left]
            image[y0:y1, x0:x1] = region * (1 - soft) + face * soft
            instance[y0:y1, x0:x1][free] = number
            return True
        return False


def pose(rgba: UInt8, rng: np.random.Generator, length: int) -> UInt8:
    """One pill under a new light, from a new angle. Returns (h, w, 4) uint8 RGBA, its pill about `length` px long."""
    canvas = int(length * 1.5) + 8
    scale = length / max(cv2.boundingRect(rgba[..., 3])[2:])
    tilt = np.abs(rng.normal(0, 0.07, 2)).clip(0, 0.3)
    turned = turn(rgba, rng.uniform(0, 360), scale, (float(tilt[0] * 0.3), float(tilt[1])), canvas)
    x, y, w, h = cv2.boundingRect(turned[..., 3])
    wall = int(length * tilt[1] * rng.uniform(0.2, 1.4))
    turned = np.ascontiguousarray(turned[max(y - 2, 0) : y + h + wall + 2, max(x - 2, 0) : x + w + 2])
    lit = relight(turned[..., :3].astype(np.float32), turned[..., 3], rng)
    turned[..., :3] = np.clip(cast(lit, rng, 0.4), 0, 255) * (turned[..., 3:] > 0)
    return side_wall(turned, rng, wall)
