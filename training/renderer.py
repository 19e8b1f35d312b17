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
from training.rendering.outline import Float32, Frame, make_outline
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
    frame = Frame.of(size, FILL)
    outline = make_outline("oblong" if look.form == "hard capsule" else look.shape, look.ratio, look.other_outline)
    face = look.front if side == "front" else look.back
    engraving = engrave(face, look, outline, frame)
    if look.form == "hard capsule":
        distance = hard_capsule_distance(look.ratio, frame)
        height = hard_capsule_height(look.ratio, frame)
        engraving = _round_the_body(engraving, look.ratio, frame)
    else:
        distance = outline.distance(frame.x, frame.y)
        if look.form == "soft capsule":
            height = soft_capsule_height(outline, distance, frame)
        else:
            height = tablet_height(look, outline, distance, frame)
    noise = _noise(size, rng)
    height, hollow = _cut(height, engraving, look, noise, frame.scale)
    normal = normals(height, frame.scale)
    paint = _paint(look, side, frame, rng)
    paint = np.clip(paint * (1 + 0.04 * look.speckle * noise)[..., None], 0, 1)
    if look.style == "printed" and face.blocks:
        coverage = engraving.letters * np.clip(1.05 + 0.25 * noise, 0, 1)
        paint += (np.array(look.ink, dtype=np.float32) - paint) * (0.93 * coverage)[..., None]
    shade = diffuse(normal, light) * (1 - 0.22 * hollow)
    color = to_linear(paint.astype(np.float32))
    if look.translucency:
        color, shade = _shine_through(
            color, shade, normal=normal, height=height, clear=look.translucency, light=light, backdrop=backdrop
        )
    lit = color * shade[..., None] + mirrored(normal, light, look.gloss, look.form != "tablet")[..., None]
    alpha = np.clip(0.5 - distance * frame.scale, 0, 1)
    rgba = np.empty((size, size, 4), dtype=np.uint8)
    rgba[..., 3] = np.rint(alpha * 255)
    rgba[..., :3] = np.rint(to_srgb(lit) * 255)
    rgba[rgba[..., 3] == 0] = 0
    return rgba


def _round_the_body(engraving: Engraving, ratio: float, frame: Frame) -> Engraving:
    """Print wraps round a capsule: the flat letters are laid along the circumference."""
    radius, middle = frame.scale * ratio, (frame.size - 1) / 2
    unrolled = np.arcsin(np.clip(frame.y / ratio, -1, 1)) * radius + middle
    columns = frame.x * frame.scale + middle
    return Engraving(cv2.remap(engraving.letters, columns, unrolled, cv2.INTER_LINEAR), engraving.score, engraving.em)


def _noise(size: int, rng: np.random.Generator) -> Float32:
    """Grain of a surface: fine and coarser noise together, mean 0, deviation about 1."""
    fine = rng.standard_normal((size, size), dtype=np.float32)
    return 0.45 * fine + 0.75 * _blobs(size, max(1.0, size / 110), rng)


def _blobs(size: int, radius: float, rng: np.random.Generator) -> Float32:
    """Noise with blobs of about `radius` px, mean 0, deviation 1."""
    noise = cv2.GaussianBlur(rng.standard_normal((size, size), dtype=np.float32), (0, 0), radius)
    return noise / max(float(noise.std()), 1e-6)


def _cut(
    height: Float32, engraving: Engraving, look: PillLook, noise: Float32, scale: float
) -> tuple[Float32, Float32]:
    """Engraves the face and roughens it. Returns the new height and how hollow each pixel is, [0, 1]."""
    grain = 0.0011 if look.form == "tablet" else 0.00015
    height = height + grain * look.grain * cv2.GaussianBlur(noise, (0, 0), max(0.7, scale / 110))
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


def _paint(look: PillLook, side: SideName, frame: Frame, rng: np.random.Generator) -> Float32:
    """The pill's own colours, sRGB (S, S, 3) float32."""
    first = np.array(look.colors[0], dtype=np.float32)
    second = np.array(look.colors[-1], dtype=np.float32)
    if look.form == "hard capsule":
        return np.where((frame.x < CAPSULE_SEAM)[..., None], first, second)
    if look.split == "halves":
        return np.where((frame.x < 0)[..., None], first, second)
    base = second if look.split == "faces" and side == "back" else first
    paint = np.broadcast_to(base, (frame.size, frame.size, 3)).copy()
    # granules of colour that did not mix: of the second colour, or a deeper tone of the first
    fleck = second if look.split == "speckle" and len(look.colors) > 1 else base * (0.55 + 0.45 * base)
    share = np.clip((_blobs(frame.size, max(0.8, frame.size / 170), rng) - 1.1) * 1.6, 0, 1)
    strength = 1.0 if fleck is second else 0.8 * max(0.0, look.speckle - 0.15)
    return paint + (fleck - paint) * (strength * share)[..., None]


def _shine_through(
    color: Float32, shade: Float32, *, normal: Float32, height: Float32, clear: float, light: Light, backdrop: Rgb
) -> tuple[Float32, Float32]:
    """Gel: light enters at the lamp and gathers on the far side; thin rims let the table through.

    Returns colour (S, S, 3) and shade (S, S) anew, linear.
    """
    lamp = light.direction()
    far = np.clip(-(normal[..., :2] @ lamp[:2]), 0, 1)
    thickness = np.clip(height / max(float(height.max()), 1e-6), 0, 1)
    behind = to_linear(np.array(backdrop, dtype=np.float32)) * (0.35 + 0.65 * color / color.max())
    color = color + (behind - color) * (clear * (0.5 - 0.25 * thickness))[..., None]
    return color, shade + (0.55 * (1 - shade) + 0.9 * far**2) * clear
