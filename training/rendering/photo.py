"""A photo as a person takes it: a pill on a table, lamp and shadow, colour cast, blur and noise. Mask and box exact."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.schemas import SideName
from training.renderer import FILL, render_pill
from training.rendering.light import Light, random_light
from training.rendering.look import PillLook
from training.rendering.outline import Float32
from training.rendering.surface import SURFACES, random_surface

UInt8 = NDArray[np.uint8]
_MAX_TRIES = 200  # to find room for one more pill


@dataclass(frozen=True, slots=True)
class PlacedPill:
    """One pill in a photo. `box`: x1, y1, x2, y2, px, tight around `mask`, x2 and y2 exclusive.
    `mask`: (H, W) uint8, share of each pixel that the pill covers."""

    box: tuple[int, int, int, int]
    mask: UInt8


@dataclass(frozen=True, slots=True)
class RenderedPhoto:
    """`image`: (H, W, 3) uint8 RGB. `pills` in the order they were asked for."""

    image: UInt8
    pills: tuple[PlacedPill, ...]


def render_photo(
    look: PillLook,
    side: SideName,
    rng: np.random.Generator,
    *,
    width: int = 1200,
    height: int = 900,
    length: float | None = None,
    angle: float | None = None,
    surface: str | None = None,
    roughness: float = 0.5,
) -> RenderedPhoto:
    """One pill near the middle of a photo.

    Args:
        length: of the pill's long axis, px; else 35 to 60 % of the shorter side of the photo.
        angle: how far it lies turned counter-clockwise, degrees; else within 20 degrees of level or upside down never.
        surface: a name of `surface.SURFACES`; else any.
        roughness: of the camera: colour cast, blur and noise, 0 = none, 1 = as bad as a person would still send.
    """
    length = length or float(rng.uniform(0.35, 0.6) * min(width, height))
    angle = float(rng.uniform(-20, 20)) if angle is None else angle
    centre = (width * rng.uniform(0.42, 0.58), height * rng.uniform(0.42, 0.58))
    return _render([_Placing(look, side, centre, length, angle)], width, height, surface, roughness, rng)


def render_group(
    pills: Sequence[tuple[PillLook, SideName]],
    rng: np.random.Generator,
    *,
    width: int = 1200,
    height: int = 900,
    surface: str | None = None,
    roughness: float = 0.5,
) -> RenderedPhoto:
    """Several pills, turned any way, none on another.

    Raises ValueError when they do not fit.
    """
    length = 0.62 * np.sqrt(width * height / (2.2 * max(1, len(pills))))
    placings: list[_Placing] = []
    for look, side in pills:
        own = length * rng.uniform(0.8, 1.0)
        for _ in range(_MAX_TRIES):
            x, y = rng.uniform(own * 0.6, width - own * 0.6), rng.uniform(own * 0.6, height - own * 0.6)
            if all(np.hypot(x - p.centre[0], y - p.centre[1]) > (own + p.length) * 0.54 for p in placings):
                placings.append(_Placing(look, side, (x, y), own, float(rng.uniform(0, 360))))
                break
        else:
            raise ValueError(f"no room for {len(pills)} pills in {width} x {height} px")
    return _render(placings, width, height, surface, roughness, rng)


@dataclass(frozen=True, slots=True)
class _Placing:
    look: PillLook
    side: SideName
    centre: tuple[float, float]
    length: float
    angle: float


def _render(
    placings: list[_Placing], width: int, height: int, surface: str | None, roughness: float, rng: np.random.Generator
) -> RenderedPhoto:
    light = random_light(rng)
    table = SURFACES[surface](width, height, rng) if surface else random_surface(width, height, rng)
    table = cv2.GaussianBlur(table, (0, 0), 0.8)  # the camera focuses on the pill
    scene = table * _falloff(width, height, light, rng)[..., None]
    pills = []
    for placing in placings:
        pill, alpha = _turned(placing, light, scene, rng)
        scene *= _shadow(alpha, placing, light)[..., None]
        scene = scene * (1 - alpha[..., None]) + pill
        mask = np.rint(alpha * 255).astype(np.uint8)
        x, y, w, h = cv2.boundingRect(mask)
        pills.append(PlacedPill((x, y, x + w, y + h), mask))
    return RenderedPhoto(_camera(scene, roughness, rng), tuple(pills))


def _turned(placing: _Placing, light: Light, scene: Float32, rng: np.random.Generator) -> tuple[Float32, Float32]:
    """The pill in the frame of the photo: premultiplied sRGB (H, W, 3) and alpha (H, W), both in [0, 1]."""
    height, width = scene.shape[:2]
    size = round(placing.length / FILL)
    turn = np.radians(placing.angle)
    x, y = (int(np.clip(v, 0, limit - 1)) for v, limit in zip(placing.centre, (width, height), strict=True))
    backdrop = tuple(float(v) for v in scene[max(0, y - 20) : y + 20, max(0, x - 20) : x + 20].mean(axis=(0, 1)))
    # y runs down: a pill turned counter-clockwise sees the lamp turned clockwise, which here is towards larger angles
    view = render_pill(placing.look, placing.side, size, rng, light=light.turned(-turn), backdrop=backdrop)
    rgba = view.astype(np.float32) / 255
    rgba[..., :3] *= rgba[..., 3:]
    matrix = cv2.getRotationMatrix2D(((size - 1) / 2, (size - 1) / 2), placing.angle, 1.0)
    matrix[:, 2] += np.array(placing.centre) - (size - 1) / 2
    placed = cv2.warpAffine(rgba, matrix, (width, height), flags=cv2.INTER_LINEAR)
    return placed[..., :3], placed[..., 3]


def _shadow(alpha: Float32, placing: _Placing, light: Light) -> Float32:
    """How much light the pill leaves on the table, (H, W) in [0, 1]: the cast shadow and the dark line of contact."""
    thickness = 0.5 * placing.length * (0.75 * placing.look.ratio if placing.look.form != "tablet" else 0.42)
    reach = thickness / np.tan(light.elevation) * 0.8
    steps = [0.25, 0.55, 0.85]
    cast = np.zeros_like(alpha)
    for step in steps:
        dx, dy = -np.cos(light.azimuth) * reach * step, -np.sin(light.azimuth) * reach * step
        shifted = cv2.warpAffine(alpha, np.array([[1, 0, dx], [0, 1, dy]]), alpha.shape[::-1])
        cast = np.maximum(cast, cv2.GaussianBlur(shifted, (0, 0), 1 + reach * (1.1 - light.hardness) * step * 0.6))
    contact = cv2.GaussianBlur(alpha, (0, 0), 0.02 * placing.length)
    return (1 - (1 - light.ambient) * 0.62 * cast) * (1 - 0.4 * contact)


def _falloff(width: int, height: int, light: Light, rng: np.random.Generator) -> Float32:
    """Brighter towards the lamp."""
    x = np.linspace(-1, 1, width, dtype=np.float32)[None, :]
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    slope = rng.uniform(0.04, 0.16)
    return 1 + slope * (x * np.cos(light.azimuth) + y * np.sin(light.azimuth)) - 0.04 * (x * x + y * y)


def _camera(scene: Float32, roughness: float, rng: np.random.Generator) -> UInt8:
    """White balance, exposure, lens and sensor."""
    warmth = rng.normal(0, 0.05) * roughness
    gains = np.array([1 + warmth, 1.0, 1 - warmth], dtype=np.float32) * (1 + rng.uniform(-0.12, 0.08) * roughness)
    shot = scene * gains
    blur = rng.uniform(0.2, 1.6) * roughness
    if blur > 0.25:
        shot = cv2.GaussianBlur(shot, (0, 0), blur)
    shot = shot + rng.standard_normal(shot.shape, dtype=np.float32) * (0.018 * roughness)
    return np.rint(np.clip(shot, 0, 1) * 255).astype(np.uint8)
