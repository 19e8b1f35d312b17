"""What pills lie on, made from noise: no files. All are (H, W, 3) float32 sRGB in [0, 1]."""

from collections.abc import Callable

import cv2
import numpy as np

from training.rendering.outline import Float32

Surface = Callable[[int, int, np.random.Generator], Float32]


def _smooth_noise(width: int, height: int, cell_x: float, cell_y: float, rng: np.random.Generator) -> Float32:
    """Noise in about [-1, 1] whose blobs are `cell_x` by `cell_y` px."""
    shape = (max(2, round(height / cell_y) + 1), max(2, round(width / cell_x) + 1))
    coarse = rng.uniform(-1, 1, shape).astype(np.float32)
    return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)


def wood(width: int, height: int, rng: np.random.Generator) -> Float32:
    """A table top: grain along x, bent a little, with pores."""
    y = np.arange(height, dtype=np.float32)[:, None]
    bend = 60 * _smooth_noise(width, height, width / 1.5, height / 3, rng)
    rings = np.sin((y + bend) / rng.uniform(9, 26) + 2 * _smooth_noise(width, height, 500, 40, rng))
    fibre = _smooth_noise(width, height, 160, 2.2, rng)
    pores = np.clip(_smooth_noise(width, height, 45, 2.5, rng) - 0.55, 0, 1)
    tone = 0.5 + 0.22 * rings + 0.25 * fibre - 0.6 * pores
    palettes = (((0.36, 0.22, 0.13), (0.62, 0.43, 0.27)), ((0.62, 0.47, 0.31), (0.84, 0.70, 0.52)),
                ((0.20, 0.13, 0.09), (0.38, 0.26, 0.18)))  # fmt: skip
    dark, pale = (np.array(c, dtype=np.float32) for c in palettes[int(rng.integers(3))])
    return np.clip(dark + (pale - dark) * tone[..., None], 0, 1).astype(np.float32)


def cloth(width: int, height: int, rng: np.random.Generator) -> Float32:
    """A woven table cloth: two directions of thread, soft folds."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    angle, pitch = rng.uniform(0, np.pi / 2), rng.uniform(3.0, 8.0)
    wobble = 2 * _smooth_noise(width, height, 90, 90, rng)
    u = (x * np.cos(angle) + y * np.sin(angle) + wobble) / pitch
    v = (-x * np.sin(angle) + y * np.cos(angle) + wobble) / pitch
    weave = np.sin(u * 2.2) * np.sin(v * 2.2)
    folds = _smooth_noise(width, height, width / 2.5, height / 1.8, rng)
    fuzz = rng.standard_normal((height, width), dtype=np.float32)
    tone = 1 + 0.13 * weave + 0.12 * folds + 0.04 * fuzz
    return np.clip(_fabric_color(rng) * tone[..., None], 0, 1).astype(np.float32)


def paper(width: int, height: int, rng: np.random.Generator) -> Float32:
    """A sheet of paper or a napkin: nearly white, faintly uneven."""
    fine = cv2.GaussianBlur(rng.standard_normal((height, width), dtype=np.float32), (0, 0), 1.0)
    tone = 1 + 0.025 * fine + 0.03 * _smooth_noise(width, height, 160, 160, rng)
    white = np.array([1.0, rng.uniform(0.97, 1.0), rng.uniform(0.92, 1.0)], dtype=np.float32) * rng.uniform(0.74, 0.9)
    return np.clip(white * tone[..., None], 0, 1).astype(np.float32)


def stone(width: int, height: int, rng: np.random.Generator) -> Float32:
    """A speckled kitchen counter."""
    tone = 0.5 + 0.05 * _smooth_noise(width, height, 90, 90, rng)
    for cell, share in ((22, 0.3), (9, 0.35), (4, 0.3)):
        flecks = _smooth_noise(width, height, cell, cell, rng)
        tone += share * (np.clip(3 * (flecks - 0.45), 0, 0.7) - np.clip(3 * (-flecks - 0.5), 0, 1))
    base = rng.uniform(0.35, 0.8) * np.array([1.0, rng.uniform(0.94, 1), rng.uniform(0.86, 1)], dtype=np.float32)
    return np.clip(base * (0.5 + tone)[..., None], 0, 1).astype(np.float32)


def plastic(width: int, height: int, rng: np.random.Generator) -> Float32:
    """A tray or a matte mat: one colour, hardly any texture."""
    tone = 1 + 0.012 * rng.standard_normal((height, width), dtype=np.float32)
    tone += 0.03 * _smooth_noise(width, height, width / 2, height / 2, rng)
    return np.clip(_fabric_color(rng) * tone[..., None], 0, 1).astype(np.float32)


def _fabric_color(rng: np.random.Generator) -> Float32:
    hsv = np.array([[[rng.uniform(0, 360), rng.uniform(0.05, 0.5), rng.uniform(0.25, 0.8)]]], dtype=np.float32)
    return cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)[0, 0]


SURFACES: dict[str, Surface] = {"wood": wood, "cloth": cloth, "paper": paper, "stone": stone, "plastic": plastic}
