"""A photo as a person takes it: a pill on a table, lamp and shadow, colour cast, blur and noise. Mask and box exact."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.schemas import SideName
from training.renderer import FILL, render_pill
from training.rendering.light import Light, diffuse, random_light, to_linear, to_srgb
from training.rendering.look import PillLook
from training.rendering.outline import Float32
from training.rendering.surface import SURFACES

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
        angle: how far it lies turned counter-clockwise, degrees; else within 20 of level.
        surface: a name of `surface.SURFACES`; else any.
        roughness: of the camera: colour cast, blur and noise, 0 = none, 1 = as bad as a person would still send.
    """
    placing = _near_middle(look, side, width, height, rng)
    placing = replace(placing, length=length or placing.length, angle=placing.angle if angle is None else angle)
    return _shoot([placing], _Place.any(width, height, surface, rng), roughness, rng)


def render_pair(
    look: PillLook,
    rng: np.random.Generator,
    *,
    width: int = 1200,
    height: int = 900,
    surface: str | None = None,
    roughness: float = 0.5,
) -> tuple[RenderedPhoto, RenderedPhoto]:
    """Front and back of one pill, photographed one after the other on the same table under the same lamp."""
    place = _Place.any(width, height, surface, rng)
    front = _shoot([_near_middle(look, "front", width, height, rng)], place, roughness, rng)
    return front, _shoot([_near_middle(look, "back", width, height, rng)], place, roughness, rng)


def render_group(
    pills: Sequence[tuple[PillLook, SideName]],
    rng: np.random.Generator,
    *,
    width: int = 1200,
    height: int = 900,
    length: float | None = None,
    surface: str | None = None,
    roughness: float = 0.5,
) -> RenderedPhoto:
    """Several pills, turned any way, none on another.

    Args: as of `render_photo`; `length` px of the longest pill, at most 80 % of the shorter side, else what fits well.

    Raises ValueError when they do not fit.
    """
    length = length or min(0.62 * np.sqrt(width * height / (2.2 * max(1, len(pills)))), 0.75 * min(width, height))
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
    return _shoot(placings, _Place.any(width, height, surface, rng), roughness, rng)


@dataclass(frozen=True, slots=True)
class _Placing:
    """One pill to lay down: `centre` and `length` px, `angle` degrees counter-clockwise."""

    look: PillLook
    side: SideName
    centre: tuple[float, float]
    length: float
    angle: float

    @property
    def thickness(self) -> float:
        """How high it stands over the table, px."""
        return self.length * (0.22 if self.look.form == "tablet" else 0.5 * self.look.ratio)


def _near_middle(look: PillLook, side: SideName, width: int, height: int, rng: np.random.Generator) -> _Placing:
    length = float(rng.uniform(0.35, 0.6) * min(width, height))
    centre = (width * float(rng.uniform(0.42, 0.58)), height * float(rng.uniform(0.42, 0.58)))
    return _Placing(look, side, centre, length, float(rng.uniform(-20, 20)))


@dataclass(frozen=True, slots=True)
class _Place:
    """Where photos are taken: a table, (H, W, 3) float32 sRGB without light, and its lamp."""

    table: Float32
    light: Light

    @classmethod
    def any(cls, width: int, height: int, surface: str | None, rng: np.random.Generator) -> "_Place":
        name = surface or tuple(SURFACES)[int(rng.integers(len(SURFACES)))]
        return cls(SURFACES[name](width, height, rng), random_light(rng))

    def lit(self, rng: np.random.Generator) -> Float32:
        """The empty table, brighter towards the lamp."""
        x = np.linspace(-1, 1, self.table.shape[1], dtype=np.float32)[None, :, None]
        y = np.linspace(-1, 1, self.table.shape[0], dtype=np.float32)[:, None, None]
        towards = x * np.cos(self.light.azimuth) + y * np.sin(self.light.azimuth)
        soft = cv2.GaussianBlur(self.table, (0, 0), 0.8)  # the lens is focused on the pills
        return soft * (1 + rng.uniform(0.04, 0.16) * towards - 0.04 * (x * x + y * y))


@dataclass(frozen=True, slots=True)
class _Camera:
    """`lean`: by how much of its height the top of a thing is displaced, x and y: a camera not straight above."""

    lean: tuple[float, float]
    roughness: float

    @classmethod
    def handheld(cls, roughness: float, rng: np.random.Generator) -> "_Camera":
        tilt, azimuth = np.tan(np.radians(rng.uniform(0, 26))), rng.uniform(0, 2 * np.pi)
        return cls((float(tilt * np.cos(azimuth)), float(tilt * np.sin(azimuth))), roughness)

    def expose(self, scene: Float32, rng: np.random.Generator) -> UInt8:
        """White balance, exposure, lens and sensor."""
        warmth = rng.normal(0, 0.05) * self.roughness
        gains = np.array([1 + warmth, 1.0, 1 - warmth], dtype=np.float32)
        shot = scene * (gains * (1 + rng.uniform(-0.12, 0.08) * self.roughness))
        blur = rng.uniform(0.2, 1.6) * self.roughness
        if blur > 0.25:
            shot = cv2.GaussianBlur(shot, (0, 0), blur)
        shot = shot + rng.standard_normal(shot.shape, dtype=np.float32) * (0.018 * self.roughness)
        return np.rint(np.clip(shot, 0, 1) * 255).astype(np.uint8)


def _shoot(placings: list[_Placing], place: _Place, roughness: float, rng: np.random.Generator) -> RenderedPhoto:
    light, camera = place.light, _Camera.handheld(roughness, rng)
    scene = place.lit(rng)
    pills = []
    for placing in placings:
        pill, alpha = _lay_down(placing, light, camera, scene, rng)
        scene *= _shadow(alpha, placing, light)[..., None]
        scene = scene * (1 - alpha[..., None]) + pill
        mask = np.rint(alpha * 255).astype(np.uint8)
        x, y, w, h = cv2.boundingRect(mask)
        pills.append(PlacedPill((x, y, x + w, y + h), mask))
    return RenderedPhoto(camera.expose(scene, rng), tuple(pills))


def _lay_down(
    placing: _Placing, light: Light, camera: _Camera, scene: Float32, rng: np.random.Generator
) -> tuple[Float32, Float32]:
    """The pill in the frame of the photo: premultiplied sRGB (H, W, 3) and alpha (H, W), both in [0, 1]."""
    height, width = scene.shape[:2]
    size = round(placing.length / FILL)
    x, y = (int(np.clip(v, 0, limit - 1)) for v, limit in zip(placing.centre, (width, height), strict=True))
    beneath = scene[max(0, y - 20) : y + 20, max(0, x - 20) : x + 20].mean(axis=(0, 1))
    # y runs down: a pill turned counter-clockwise sees the lamp turned clockwise, which is towards larger angles
    own_light = light.turned(-np.radians(placing.angle))
    backdrop = (float(beneath[0]), float(beneath[1]), float(beneath[2]))
    view = render_pill(placing.look, placing.side, size, rng, light=own_light, backdrop=backdrop)
    rgba = view.astype(np.float32) / 255
    rgba[..., :3] *= rgba[..., 3:]
    # turned in a tile of its own with room for the corners, then laid on the photo
    side = round(size * 1.3)
    matrix = cv2.getRotationMatrix2D(((size - 1) / 2, (size - 1) / 2), placing.angle, 1.0)
    matrix[:, 2] += (side - size) / 2
    tile = cv2.warpAffine(rgba, matrix, (side, side), flags=cv2.INTER_LINEAR)
    if placing.look.form == "tablet":
        tile = _with_wall(tile, placing, light, camera)
    shift = np.array([[1, 0, placing.centre[0] - side / 2], [0, 1, placing.centre[1] - side / 2]])
    placed = cv2.warpAffine(tile, shift, (width, height), flags=cv2.INTER_LINEAR)
    return placed[..., :3], placed[..., 3]


def _with_wall(tile: Float32, placing: _Placing, light: Light, camera: _Camera) -> Float32:
    """The side wall of a tablet, seen where the camera leans: its outline swept from the face down to the table.

    `tile`: (S, S, 4) float32, premultiplied.
    """
    down = -0.8 * placing.thickness * np.array(camera.lean)  # the upper fifth is the rounded edge, already drawn
    steps = max(1, int(np.ceil(np.hypot(*down))))
    alpha = tile[..., 3]
    swept = alpha.copy()
    for step in range(1, steps + 1):
        dx, dy = down * step / steps
        shifted = cv2.warpAffine(alpha, np.array([[1, 0, dx], [0, 1, dy]]), alpha.shape[::-1])
        np.maximum(swept, shifted, out=swept)
    outward = cv2.GaussianBlur(swept, (0, 0), 0.04 * placing.length)
    normal = np.dstack(
        [-cv2.Scharr(outward, cv2.CV_32F, 1, 0), -cv2.Scharr(outward, cv2.CV_32F, 0, 1), np.full_like(swept, 1e-4)]
    )
    normal /= np.linalg.norm(normal, axis=2, keepdims=True)
    color = to_linear(np.array(placing.look.colors[0], dtype=np.float32))
    wall = to_srgb(color * np.clip(0.92 * diffuse(normal, light), 0.12, 1.1)[..., None])
    below = (swept - alpha)[..., None]  # the face covers the wall
    return np.dstack([tile[..., :3] + wall * below, swept])


def _shadow(alpha: Float32, placing: _Placing, light: Light) -> Float32:
    """How much light the pill leaves on the table, (H, W) in [0, 1]: the cast shadow and the dark line of contact."""
    reach = 0.8 * placing.thickness / np.tan(light.elevation)
    cast = np.zeros_like(alpha)
    for step in (0.25, 0.55, 0.85):
        dx, dy = -np.cos(light.azimuth) * reach * step, -np.sin(light.azimuth) * reach * step
        shifted = cv2.warpAffine(alpha, np.array([[1, 0, dx], [0, 1, dy]]), alpha.shape[::-1])
        cast = np.maximum(cast, cv2.GaussianBlur(shifted, (0, 0), 1 + reach * (1.1 - light.hardness) * step * 0.6))
    contact = cv2.GaussianBlur(alpha, (0, 0), 0.02 * placing.length)
    return (1 - (1 - light.ambient) * 0.62 * cast) * (1 - 0.4 * contact)
