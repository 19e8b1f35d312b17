"""What the background remover trains on: square crops around one pill, with the mask of that pill alone.

Two sources: generated scenes (exact masks, neighbours that touch) and the polygons of `detect/boostcamp_train`.
Crops are made once, wide and large (`STORED`, `WIDE`), and kept in memory; each use takes a slightly different view
of them, as an imperfect detector box would, and degrades it as a consumer's camera would.
"""

from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from pipeline.cutout import CROP_MARGIN, crop_around
from training.appearance import cast, degrade
from training.outlined import Crops
from training.scenes import SceneGenerator, cast_shadow

UInt8 = NDArray[np.uint8]

STORED: Final = 224
"""Side of a stored crop, px."""

WIDE: Final = 0.4
"""Margin of a stored crop, share of the box's long side: room for views that are off the centre."""


def scene_crops(data: Path, count: int, seed: int) -> Crops:
    """`count` crops out of generated scenes: half of them close-ups of one or two pills, half heaps."""
    generator = SceneGenerator(data)
    rng = np.random.default_rng(seed)
    images = np.zeros((count, STORED, STORED, 3), np.uint8)
    masks = np.zeros((count, STORED, STORED), np.uint8)
    filled = 0
    with tqdm(total=count, desc="scenes", unit="crop") as bar:
        while filled < count:
            if rng.random() < 0.5:
                pills, extent, side = int(rng.integers(1, 3)), (0.35, 0.7), 320
            else:
                pills, extent, side = int(rng.integers(3, 9)), (0.18, 0.4), 448
            scene = generator.scene(rng, (side, side), pills, extent=extent, touching=0.6)
            for number, box in enumerate(scene.boxes[: count - filled]):
                x1, y1, x2, y2 = (float(v) for v in box)
                images[filled] = crop_around(scene.image, (x1, y1, x2, y2), margin=WIDE, size=STORED).pixels
                own = np.where(scene.instance == number + 1, 255, 0).astype(np.uint8)
                # outside the photo nothing is known to be pill: the mask is padded with background, not repeated
                view = crop_around(cv2.copyMakeBorder(own, side, side, side, side, cv2.BORDER_CONSTANT),
                                   (x1 + side, y1 + side, x2 + side, y2 + side), margin=WIDE, size=STORED)  # fmt: skip
                masks[filled] = np.where(view.pixels > 127, 255, 0)
                filled += 1
                bar.update()
    return Crops(images, masks)


def view_of(image: UInt8, mask: UInt8, size: int, rng: np.random.Generator) -> tuple[UInt8, UInt8]:
    """One view of a stored crop, as an imperfect box would cut it: shifted, scaled, mirrored, slightly turned."""
    turns = int(rng.integers(4))
    image, mask = np.rot90(image, turns), np.rot90(mask, turns)
    if rng.random() < 0.5:
        image, mask = image[:, ::-1], mask[:, ::-1]
    stored = image.shape[0]
    box_side = stored / (1 + 2 * WIDE)
    side = box_side * (1 + 2 * CROP_MARGIN) * float(np.exp(rng.normal(0, 0.09)).clip(0.8, 1.25))
    shift = rng.normal(0, 0.04, 2).clip(-0.12, 0.12) * box_side
    matrix = cv2.getRotationMatrix2D((stored / 2, stored / 2), rng.normal(0, 8), size / side)
    matrix[:, 2] += size / 2 - stored / 2 + shift
    turned = cv2.warpAffine(np.ascontiguousarray(image), matrix, (size, size), borderMode=cv2.BORDER_REPLICATE)
    own = cv2.warpAffine(np.ascontiguousarray(mask), matrix, (size, size))
    return np.asarray(turned, np.uint8), np.asarray(np.where(own > 127, 255, 0), np.uint8)


def harden(image: UInt8, mask: UInt8, rng: np.random.Generator) -> UInt8:
    """Make a view hard in the ways consumer photos are; the mask stays true.

    A background of nearly the pill's own colour, shadows that look like pill, see-through bodies, black bars of
    letterboxed photos, low contrast, few pixels, blur, noise, JPEG.
    """
    size = image.shape[0]
    soft = cv2.GaussianBlur(mask, (0, 0), 0.8)[..., None].astype(np.float32) / 255
    out = image.astype(np.float32)
    inside, outside = mask > 0, mask == 0
    if rng.random() < 0.3 and inside.any() and outside.any():  # white on white, grey on grey
        pill, ground = out[inside].mean(axis=0), out[outside].mean(axis=0)
        grain = rng.uniform(0.1, 0.6)
        alike = pill + rng.choice([-1, 1]) * rng.uniform(8, 40) + (out - ground) * grain
        out = np.asarray(alike * (1 - soft) + out * soft, np.float32)
    if rng.random() < 0.65:
        shaded = out.copy()
        (swept_shadow if rng.random() < 0.6 else cast_shadow)(shaded, mask, rng)
        out = shaded * (1 - soft) + out * soft
    if rng.random() < 0.12 and outside.any():  # a see-through body: what lies below tints it
        ground = cv2.GaussianBlur(out * outside[..., None], (0, 0), size / 8)
        weight = cv2.GaussianBlur(outside.astype(np.float32), (0, 0), size / 8)[..., None] + 1e-3
        out = out * (1 - soft) + soft * (out + (ground / weight - out) * rng.uniform(0.3, 0.7))
    if rng.random() < 0.2:  # the edge of somebody's shadow crosses the view
        ys, xs = np.mgrid[0:size, 0:size].astype(np.float32) / size - 0.5
        angle = rng.uniform(0, 2 * np.pi)
        distance = xs * np.cos(angle) + ys * np.sin(angle) - rng.uniform(-0.4, 0.4)
        out = out * (1 - rng.uniform(0.1, 0.5) / (1 + np.exp(-distance / rng.uniform(0.01, 0.1))))[..., None]
    out = cast(np.clip(out, 0, 255).astype(np.float32), rng, 0.7)
    if rng.random() < 0.2:
        mean = out.mean(axis=(0, 1))
        out = mean + (out - mean) * rng.uniform(0.35, 0.8)
    finished = np.asarray(np.clip(out, 0, 255), np.uint8)
    if rng.random() < 0.35:
        few = int(rng.integers(50, 150))
        finished = cv2.resize(cv2.resize(finished, (few, few), interpolation=cv2.INTER_AREA), (size, size))
    finished = degrade(np.asarray(finished, np.uint8), rng)
    if rng.random() < 0.2:
        finished = letterbox(finished, mask, rng)
    return finished


def roughen(image: UInt8, rng: np.random.Generator) -> UInt8:
    """What `harden` does that needs no mask, for views of which none is known: colour cast, few pixels, the camera's
    faults, bars. Without it a network would tell the two kinds of training views apart by that alone."""
    size = image.shape[0]
    out = np.clip(cast(image.astype(np.float32), rng, 0.7), 0, 255).astype(np.uint8)
    if rng.random() < 0.35:
        few = int(rng.integers(50, 150))
        out = np.asarray(cv2.resize(cv2.resize(out, (few, few), interpolation=cv2.INTER_AREA), (size, size)), np.uint8)
    out = degrade(out, rng)
    if rng.random() < 0.2:
        reach = int(size * CROP_MARGIN / (1 + 2 * CROP_MARGIN))
        middle = np.zeros((size, size), np.uint8)
        middle[reach:-reach, reach:-reach] = 255
        out = letterbox(out, middle, rng)
    return out


def swept_shadow(image: NDArray[np.float32], mask: UInt8, rng: np.random.Generator) -> None:
    """Darken `image` (H, W, 3) float32 in place by the long shadow of one near lamp: deep, often with a hard edge, and
    joined to the pill, so that it looks like a tall side wall. It was the mistake most often seen on real photos."""
    extent = max(cv2.boundingRect(mask)[2:])
    reach = max(int(extent * rng.uniform(0.05, 0.4)), 1)
    angle = rng.uniform(0, 2 * np.pi)
    line = np.zeros((2 * reach + 1, 2 * reach + 1), np.uint8)
    end = (round(reach + np.cos(angle) * reach), round(reach + np.sin(angle) * reach))
    cv2.line(line, (reach, reach), end, 1)
    swept = cv2.dilate(mask, line)
    soft = cv2.GaussianBlur(swept, (0, 0), max(extent * rng.uniform(0.004, 0.05), 0.5)).astype(np.float32) / 255
    depth = rng.uniform(0.3, 0.9) * (1 + rng.normal(0, 0.04, 3))
    image *= 1 - np.clip(depth, 0, 0.97).astype(np.float32) * soft[..., None]


def letterbox(image: UInt8, mask: UInt8, rng: np.random.Generator) -> UInt8:
    """Paint the view black (or white) beyond a rectangle around the pill, on two to four sides."""
    x, y, w, h = cv2.boundingRect(mask)
    room = rng.uniform(0.01, 0.2, 4) * max(w, h)
    left, top = int(max(x - room[0], 0)), int(max(y - room[1], 0))
    right, bottom = int(x + w + room[2]) + 1, int(y + h + room[3]) + 1
    out = image.copy()
    color = 0 if rng.random() < 0.8 else 255
    sides = rng.integers(3)
    if sides != 0:
        out[:top], out[bottom:] = color, color
    if sides != 1:
        out[:, :left], out[:, right:] = color, color
    return out
