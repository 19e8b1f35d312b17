"""Draws a pill from a catalogue row: outline, relief, imprint, coat, light. No torch, no files.

    look = look_of(item, rng)                       # one physical pill
    view = render_pill(look, "front", 256, rng)     # one view of it, (256, 256, 4) uint8

Photos with a table underneath: `training.rendering.photo`.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.schemas import SideName
from training.rendering.imprint import Engraving, engrave
from training.rendering.light import Light, diffuse, mirrored, random_light, to_linear, to_srgb
from training.rendering.look import PillLook, Rgb
from training.rendering.outline import Float32, make_outline
from training.rendering.relief import (
    CAPSULE_SEAM,
    hard_capsule_distance,
    hard_capsule_height,
    normals,
    soft_capsule_height,
    tablet_height,
)

FILL = 0.88
"""Share of the picture's side that the long axis takes, as in a cut-out."""


def render_pill(
    look: PillLook,
    side: SideName,
    size: int,
    rng: np.random.Generator,
    *,
    light: Light | None = None,
    backdrop: Rgb = (0.6, 0.6, 0.6),
) -> NDArray[np.uint8]:
    """One view straight from above, long axis horizontal.

    Args:
        size: side of the picture, px, at least 32.
        rng: draws the view (lamp, grain); the same state gives the same picture.
        light: a lamp of your own, in the frame of the pill.
        backdrop: sRGB in [0, 1] of what shines through a transparent capsule.

    Returns (size, size, 4) uint8 RGBA; alpha is the share of each pixel that the pill covers, RGB is 0 where it is 0.
    """
    light = light or random_light(rng)
    scale = size * FILL / 2
    axis = (np.arange(size, dtype=np.float32) + 0.5 - size / 2) / scale
    x, y = np.meshgrid(axis, axis)
    outline = make_outline("oblong" if look.form == "hard capsule" else look.shape, look.ratio, look.other_outline)
    face = look.front if side == "front" else look.back
    engraving = engrave(face, look, outline, size, scale)
    if look.form == "hard capsule":
        distance = hard_capsule_distance(look.ratio, x, y)
        height = hard_capsule_height(look.ratio, x, y)
        engraving = _round_the_body(engraving, look.ratio, scale)
    else:
        distance = outline.distance(x, y)
        if look.form == "soft capsule":
            height = soft_capsule_height(outline, x, y, distance)
        else:
            height = tablet_height(look, outline, x, y, distance, scale)
    noise = _noise(size, rng)
    height, hollow = _cut(height, engraving, look, noise, scale)
    normal = normals(height, scale)
    paint = _paint(look, side, x, noise, size, rng)
    if look.style == "printed" and face.blocks:
        coverage = engraving.letters * np.clip(1.05 + 0.25 * noise, 0, 1)
        paint += (np.array(look.ink, dtype=np.float32) - paint) * (0.93 * coverage)[..., None]
    lit = _lit(paint, normal, height, hollow, look, light, backdrop)
    alpha = np.clip(0.5 - distance * scale, 0, 1)
    rgba = np.empty((size, size, 4), dtype=np.uint8)
    rgba[..., 3] = np.rint(alpha * 255)
    rgba[..., :3] = np.rint(to_srgb(lit) * 255)
    rgba[rgba[..., 3] == 0] = 0
    return rgba


def _round_the_body(engraving: Engraving, ratio: float, scale: float) -> Engraving:
    """Print wraps round a capsule: the flat letters are laid along the circumference."""
    size = engraving.letters.shape[0]
    rows = (np.arange(size, dtype=np.float32) + 0.5 - size / 2) / (scale * ratio)
    unrolled = np.arcsin(np.clip(rows, -1, 1)) * scale * ratio + size / 2 - 0.5
    columns = np.arange(size, dtype=np.float32)
    map_x, map_y = np.meshgrid(columns, unrolled.astype(np.float32))
    return Engraving(cv2.remap(engraving.letters, map_x, map_y, cv2.INTER_LINEAR), engraving.score, engraving.em)


def _noise(size: int, rng: np.random.Generator) -> Float32:
    """Grain of a surface: fine and coarser noise together, mean 0, deviation about 1."""
    fine = rng.standard_normal((size, size), dtype=np.float32)
    coarse = cv2.GaussianBlur(rng.standard_normal((size, size), dtype=np.float32), (0, 0), max(1.0, size / 110))
    return 0.45 * fine + 0.75 * coarse / max(float(coarse.std()), 1e-6)


def _cut(
    height: Float32, engraving: Engraving, look: PillLook, noise: Float32, scale: float
) -> tuple[Float32, Float32]:
    """Engraves the face. Returns the new height and how hollow each pixel is, [0, 1]."""
    grain = 0.0011 if look.form == "tablet" else 0.00015
    smooth_noise = cv2.GaussianBlur(noise, (0, 0), max(0.7, scale / 110))
    height = height + grain * look.grain * smooth_noise
    hollow = np.zeros_like(height)
    if look.style != "printed" and engraving.em:
        walls = cv2.GaussianBlur(engraving.letters, (0, 0), max(0.7, 0.035 * engraving.em))
        sign = -1 if look.style == "pressed" else 1
        height = height + sign * look.depth * engraving.em / scale * walls
        if look.style == "pressed":
            hollow = walls
    if engraving.score.any():
        height = height - 0.045 * engraving.score
        hollow = np.maximum(hollow, engraving.score)
    return height.astype(np.float32), hollow


def _paint(look: PillLook, side: SideName, x: Float32, noise: Float32, size: int, rng: np.random.Generator) -> Float32:
    """The pill's own colours, sRGB (S, S, 3) float32."""
    first = np.array(look.colors[0], dtype=np.float32)
    second = np.array(look.colors[-1], dtype=np.float32)
    if look.form == "hard capsule":
        paint = np.where((x < CAPSULE_SEAM)[..., None], first, second)
    elif look.split == "halves":
        paint = np.where((x < 0)[..., None], first, second)
    elif look.split == "faces":
        paint = np.broadcast_to(first if side == "front" else second, (size, size, 3)).copy()
    else:
        paint = np.broadcast_to(first, (size, size, 3)).copy()
        if len(look.colors) > 1:
            specks = cv2.GaussianBlur(rng.standard_normal((size, size), dtype=np.float32), (0, 0), size / 150)
            share = np.clip((specks / specks.std() - 0.8) * 1.5, 0, 1)
            paint += (second - first) * share[..., None]
    mottle = 1 + 0.045 * look.speckle * noise
    return np.clip(paint * mottle[..., None], 0, 1).astype(np.float32)


def _lit(
    paint: Float32, normal: Float32, height: Float32, hollow: Float32, look: PillLook, light: Light, backdrop: Rgb
) -> Float32:
    """Paint under light, linear (S, S, 3)."""
    shade = diffuse(normal, light) * (1 - 0.22 * hollow)
    color = to_linear(paint)
    if look.translucency:
        # gel: light enters at the lamp and gathers on the far side; thin rims let the table through
        lamp = light.direction()
        far = np.clip(-(normal[..., :2] @ lamp[:2]), 0, 1)
        shade = shade + (0.55 * (1 - shade) + 0.9 * far**2) * look.translucency
        thickness = np.clip(height / max(float(height.max()), 1e-6), 0, 1)
        clear = look.translucency * (0.5 - 0.25 * thickness)
        behind = to_linear(np.array(backdrop, dtype=np.float32)) * (0.35 + 0.65 * color / color.max())
        color = color + (behind - color) * clear[..., None]
    lit = color * shade[..., None]
    return lit + mirrored(normal, light, look.gloss, look.form != "tablet")[..., None]
