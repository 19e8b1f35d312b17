"""One pill as a consumer photographs it and our own pipeline cuts it out: the embedder's and classifier's input.

The chain is that of real use: a pose and a light, a surface with a shadow, a camera, and a mask that is not exact.
"""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.cutout import cut_out
from training.appearance import cast, degrade, turn
from training.scenes import cast_shadow, pose
from training.textures import Backgrounds

UInt8 = NDArray[np.uint8]


def imperfect(mask: UInt8, shadowed: UInt8, rng: np.random.Generator) -> UInt8:
    """A mask with the errors of a background remover: a rim off by a few percent, a dent, a strip of shadow kept.

    Args:
        mask: (H, W) uint8 0/255, exact.
        shadowed: (H, W) uint8 0/255, where the shadow is deep enough to be mistaken for pill.
    """
    extent = max(cv2.boundingRect(mask)[2:])
    field = cv2.GaussianBlur(mask, (0, 0), max(extent * 0.03, 0.8)).astype(np.float32) / 255
    wobble = rng.standard_normal((5, 5), np.float32) * abs(rng.normal(0, 0.12))
    field += cv2.resize(wobble, mask.shape[::-1], interpolation=cv2.INTER_CUBIC)
    level = 0.5 + rng.normal(0, 0.12)
    out = (field > level).astype(np.uint8) * 255
    if rng.random() < 0.15:
        reach = max(int(extent * rng.uniform(0.02, 0.08)), 1)
        near = cv2.dilate(mask, np.ones((2 * reach + 1, 2 * reach + 1), np.uint8))
        out |= near & shadowed
    out &= cv2.dilate(mask, np.ones((9, 9), np.uint8)) | shadowed
    return out if np.count_nonzero(out) > 0.5 * np.count_nonzero(mask) else mask


def lamp(rgb: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """What `cast` does not reach and photos at home show: a warm lamp, or cold light, that the camera did not balance;
    too little light; and too much. `rgb`: (H, W, 3) float32 0..255.

    Measured on the development photos against their references, in log units: blue against green falls to -0.5
    (5th percentile), the exposure to -0.8; `cast` alone gives -0.25 and -0.57.
    """
    gains = np.ones(3, np.float32)
    if rng.random() < 0.4:
        warmth = rng.gamma(1.2, 0.16) * (1 if rng.random() < 0.8 else -1)
        gains *= np.exp(np.float32(warmth) * np.array([0.5, 0.0, -1.0], np.float32))
    if rng.random() < 0.3:
        gains *= np.exp(-rng.gamma(1.5, 0.2) if rng.random() < 0.7 else rng.gamma(1.5, 0.12))
    return np.asarray(np.clip(rgb * gains, 0, 255), np.float32)


class ConsumerViews:
    """Makes consumer-like cut-outs of exact ones.

    Args:
        data: folder with backgrounds/.
        size: side of the cut-outs made, px.
        pool: number of surfaces made in advance; making one costs more than all the rest of a view.
        lamps: share of the views under another `lamp`. Runs with one in every view found fewer photos (46.7 -> 28.3 %
            first of 60); look-alikes, seed and schedule changed too, so the cause is not known.
        remover: (N, C, C, 3) uint8 RGB -> masks (N, C, C), 0 or 255: our own background remover, whose real mistakes
            replace the made ones in half of the views. None = made ones only.
    """

    def __init__(
        self, data: Path, *, size: int, pool: int = 400, seed: int = 0, lamps: float = 0.0,
        remover: Callable[[UInt8], UInt8] | None = None,
    ) -> None:  # fmt: skip
        self.size, self.lamps, self.remover = size, lamps, remover
        self._canvas = int(size * 1.25)
        backgrounds, rng = Backgrounds(data, photo_share=0.25), np.random.default_rng(seed)
        self._surfaces = [backgrounds.sample(rng, self._canvas, self._canvas) for _ in range(pool)]

    def view(self, rgba: UInt8, rng: np.random.Generator) -> UInt8:
        """`rgba`: (H, W, 4) exact cut-out. Returns (size, size, 4) uint8 RGBA, another photo of the same side."""
        length = int(self._canvas * np.exp(rng.uniform(np.log(0.35), np.log(0.85))))
        posed = pose(rgba, rng, length)
        x, y, w, h = cv2.boundingRect(posed[..., 3])
        removed = self.remover is not None and rng.random() < 0.5
        pad = int((rng.uniform(0.15, 0.35) if removed else 0.12) * length) + 2  # a detector's box is loose or tight
        side = max(w, h) + 2 * pad
        top, left = pad + (max(w, h) - h) // 2, pad + (max(w, h) - w) // 2
        mask = np.zeros((side, side), np.uint8)
        mask[top : top + h, left : left + w] = posed[y : y + h, x : x + w, 3]
        surface = self._surfaces[rng.integers(len(self._surfaces))]
        if side < self._canvas:
            oy, ox = rng.integers(0, self._canvas - side + 1, 2)
            image = surface[oy : oy + side, ox : ox + side].astype(np.float32)
        else:
            image = cv2.resize(surface, (side, side)).astype(np.float32)
        ground = image[..., 1].copy()
        cast_shadow(image, mask, rng)
        shadowed = ((image[..., 1] < 0.7 * ground) * 255).astype(np.uint8)
        cv2.copyTo(
            posed[y : y + h, x : x + w, :3].astype(np.float32),
            mask[top : top + h, left : left + w],
            image[top : top + h, left : left + w],
        )
        rim = cv2.morphologyEx(mask, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
        cv2.copyTo(cv2.blur(image, (3, 3)), rim, image)  # a lens never draws the rim as hard as a mask does
        light = cast(image, rng)
        if rng.random() < self.lamps:
            light = lamp(light, rng)
        photo = degrade(light.astype(np.uint8), rng)
        return cut_out(photo, self._mask(photo, mask, shadowed, rng, removed), size=self.size)

    def _mask(self, photo: UInt8, exact: UInt8, shadowed: UInt8, rng: np.random.Generator, removed: bool) -> UInt8:
        """What our background remover sees as the pill; made mistakes where it is not asked or sees something else."""
        if removed and self.remover is not None:
            seen = self.remover(photo[None])[0]
            both = np.count_nonzero(seen & exact)
            if both > 0.6 * np.count_nonzero(seen | exact):
                return seen
        return imperfect(exact, shadowed, rng)

    def again(self, rgba: UInt8, rng: np.random.Generator) -> UInt8:
        """`rgba`: (H, W, 4) cut-out of a real photo. Returns (size, size, 4) uint8 RGBA: the photo a little otherwise.

        It has a real camera, light and mask already: the pill is turned, its rim moved, the light changed by half.
        """
        canvas = int(self.size * 1.25)
        scale = canvas * rng.uniform(0.6, 0.85) / max(cv2.boundingRect(rgba[..., 3])[2:])
        tilt = float(abs(rng.normal(0, 0.04)))
        turned = turn(rgba, rng.uniform(0, 360), scale, (0.0, min(tilt, 0.15)), canvas)
        photo = degrade(cast(turned[..., :3].astype(np.float32), rng, 0.5).astype(np.uint8), rng, 0.4)
        mask = imperfect(turned[..., 3], np.zeros_like(turned[..., 3]), rng)
        mask &= cv2.dilate(turned[..., 3], np.ones((5, 5), np.uint8))
        return cut_out(photo, mask, size=self.size)
