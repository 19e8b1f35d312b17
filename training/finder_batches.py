"""Training batches of the text finder: faces as photos may show them, and what each pixel is to say of its line."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from runners.ocr_find import ENDS, REACH, SLENDER, STRIDE
from training.drawn_faces import SIDE
from training.drawn_layouts import draw_layout
from training.drawn_lines import Fonts
from training.face_views import Face
from training.finder_net import CHANNELS
from training.signs import Words

UInt8 = NDArray[np.uint8]
Float32 = NDArray[np.float32]

CORE: Final = 0.4
"""Of a line's box, the share of its height that is its core."""
POOL: Final = 2500


@dataclass(frozen=True, slots=True)
class Batch:
    """`images`: (N, 1, S, S) float32 gray in [0, 255]; `targets`: (N, 4, S / 2, S / 2) as `FinderNet`, channel 0 in
    {0, 1}; `counts`: (N, 1, S / 2, S / 2), 0 where it is not known what stands there."""

    images: Tensor
    targets: Tensor
    counts: Tensor


class Faces:
    """Draws training faces: real ones, real ones written on, and drawn ones.

    Args:
        nih, tfda: labelled faces; those that are complete and carry nothing are written on.
    """

    def __init__(self, nih: Sequence[Face], tfda: Sequence[Face], words: Words, config: dict[str, Any]) -> None:
        self._real = [[face for face in faces if face.lines] for faces in (nih, tfda)]
        self._blank = [face.picture for face in (*nih, *tfda) if face.complete and not face.lines]
        self._words = words.trained()
        self._config = config
        self._fonts = Fonts.of(config)
        self._pool: list[Face] = []

    def sample(self, rng: np.random.Generator) -> Face:
        config, kind = self._config, rng.random()
        if kind < config["real_share"]:
            faces = self._real[1 if self._real[1] and rng.random() < config["tfda_share"] else 0]
            return faces[int(rng.integers(len(faces)))]
        blank = self._blank[int(rng.integers(len(self._blank)))] if self._blank else None
        if blank is not None and kind < config["real_share"] + config["blank_share"]:
            return Face(blank, (), complete=True)
        if len(self._pool) >= POOL or (self._pool and rng.random() > config["fresh_share"]):
            return self._pool[int(rng.integers(len(self._pool)))]
        written_on = None
        if blank is not None and rng.random() < config["written_share"]:
            written_on = cv2.resize(blank, (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(np.uint8)
        self._pool.append(
            draw_layout((self._words.latin, self._words.hangul), config["hangul_share"], self._fonts, written_on, rng)
        )
        return self._pool[-1]

    def batch(self, step: int, count: int, size: int) -> Batch:
        """Drawn from (seed, step) and what was drawn before."""
        rng = np.random.default_rng((self._config["seed"], step))
        views = [view(self.sample(rng), size, rng) for _ in range(count)]
        return Batch(*(torch.from_numpy(np.stack(part)) for part in zip(*views, strict=True)))


def view(face: Face, size: int, rng: np.random.Generator | None) -> tuple[Float32, Float32, Float32]:
    """A face turned, moved and lit at random, or as it is: image (1, S, S), targets and counts as in `Batch`."""
    matrix = placed(face.picture.shape[0], size, rng)
    loss = 1 / max(float(np.hypot(matrix[0, 0], matrix[0, 1])), 1e-6)
    picture = face.picture
    if loss > 1.5:  # what would be skipped is averaged
        picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), 0.4 * loss), np.uint8)
    shown = cv2.warpAffine(picture, matrix, (size, size), flags=cv2.INTER_LINEAR, borderValue=128).astype(np.float32)
    if rng is not None:
        shown = in_other_light(shown, rng)
    return shown[None], *targets(face, matrix, size)


def placed(side: int, size: int, rng: np.random.Generator | None) -> Float32:
    """(2, 3), px of a face to px of its view. Most pills lie along or across, some anyhow; as it is without `rng`."""
    if rng is None:
        turn, zoom, moved = 0.0, 1.0, np.zeros(2)
    else:
        turn = (
            90.0 * int(rng.integers(4)) + float(rng.normal(0, 8)) if rng.random() < 0.7 else float(rng.uniform(0, 360))
        )
        zoom, moved = float(np.exp(rng.normal(-0.05, 0.12))), rng.normal(0, 0.02, 2) * size
    matrix = cv2.getRotationMatrix2D((side / 2, side / 2), turn, zoom * size / side)
    matrix[:, 2] += (size - side) / 2 + moved
    return matrix.astype(np.float32)


def in_other_light(shown: Float32, rng: np.random.Generator) -> Float32:
    """Other lamp, sharpness, contrast and grain: as consumers photograph."""
    lit = shown - 128
    if rng.random() < 0.25:
        lit = -lit  # the lamp on the other side, or pale ink for dark
    size = shown.shape[0]
    if rng.random() < 0.35:
        loss = float(rng.uniform(1.2, 2.6))
        small = cv2.resize(lit, None, fx=1 / loss, fy=1 / loss, interpolation=cv2.INTER_AREA)
        lit = cv2.resize(small, (size, size), interpolation=cv2.INTER_LINEAR)
    elif rng.random() < 0.3:
        lit = cv2.GaussianBlur(lit, (0, 0), float(rng.uniform(0.4, 1.3)))
    lit = lit * float(np.exp(rng.normal(0, 0.3)))
    if rng.random() < 0.5:
        grain = cv2.GaussianBlur(rng.standard_normal((size, size), np.float32), (0, 0), float(rng.uniform(0.4, 1.8)))
        on_pill = cv2.GaussianBlur((np.abs(shown - 128) > 2).astype(np.float32), (0, 0), 3.0)
        lit = lit + grain / max(float(grain.std()), 1e-6) * float(rng.uniform(2, 18)) * on_pill
    if rng.random() < 0.25:  # a shadow or a gloss that the relief left behind
        spot = np.zeros_like(lit)
        x, y = (int(v) for v in rng.uniform(0.2, 0.8, 2) * size)
        axes = int(rng.uniform(6, 40)), int(rng.uniform(3, 16))
        cv2.ellipse(spot, (x, y), axes, float(rng.uniform(0, 180)), 0, 360, 1.0, -1)
        lit = lit + cv2.GaussianBlur(spot, (0, 0), float(rng.uniform(1.5, 6))) * float(rng.normal(0, 50))
    return np.asarray(np.clip(128 + lit, 0, 255), np.float32)


def targets(face: Face, matrix: Float32, size: int) -> tuple[Float32, Float32]:
    """Targets (4, S / 2, S / 2) and counts (1, S / 2, S / 2) of a face in a view."""
    side = size // STRIDE
    out = np.zeros((CHANNELS, side, side), np.float32)
    counts = np.full((side, side), 1.0 if face.complete else 0.0, np.float32)
    for line in face.lines:  # around a line all is known, and nothing where nobody knows what is written
        corners = line.corners @ matrix[:, :2].T + matrix[:, 2]
        cv2.fillConvexPoly(counts, _points(corners), 0.0 if line.text is None else 1.0)
    for line in face.lines:
        if line.text is None:
            continue
        corners = line.corners @ matrix[:, :2].T + matrix[:, 2]
        across, down = corners[1] - corners[0], corners[3] - corners[0]
        width, height = float(np.linalg.norm(across)), float(np.linalg.norm(down))
        across, down = across / max(width, 1e-3), down / max(height, 1e-3)
        core = np.zeros((side, side), np.uint8)
        ends = min(ENDS * height, (1 - SLENDER) / 2 * width)
        tall = (1 - CORE) / 2 * height
        inner = corners + np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]]) * (ends, tall) @ np.array([across, down])
        cv2.fillConvexPoly(core, _points(inner), 1)
        on = core > 0
        out[0][on] = 1
        angle = np.arctan2(across[1], across[0])
        out[1][on], out[2][on] = np.cos(2 * angle), np.sin(2 * angle)
        out[3][on] = height / 2 / REACH
    return out, counts[None]


def _points(corners: Float32) -> NDArray[np.int32]:
    """Of a picture's px, in px of the answer."""
    return np.round((corners - (STRIDE - 1) / 2) / STRIDE).astype(np.int32)
