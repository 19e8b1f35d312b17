"""Light on a pill: one lamp with a soft edge, the sky around it, and what a coat mirrors of both.

Colours are linear light in here. `to_linear` and `to_srgb` use gamma 2: within 3 % of the sRGB curve and much faster.
"""

from dataclasses import dataclass

import numpy as np

from training.rendering.outline import Float32


@dataclass(frozen=True, slots=True)
class Light:
    """`azimuth`: where the lamp stands, radians, 0 = right, pi/2 = below, as y runs down; `elevation` over the table,
    radians. `ambient`: share of light from everywhere, [0, 1]. `hardness`: [0, 1], 0 = overcast, 1 = bare bulb."""

    azimuth: float
    elevation: float
    ambient: float
    hardness: float

    def direction(self) -> Float32:
        """Unit vector towards the lamp."""
        flat = np.cos(self.elevation)
        return np.array(
            [flat * np.cos(self.azimuth), flat * np.sin(self.azimuth), np.sin(self.elevation)], dtype=np.float32
        )

    def turned(self, angle: float) -> "Light":
        """The same lamp as seen by a pill that lies turned by `angle` radians."""
        return Light(self.azimuth - angle, self.elevation, self.ambient, self.hardness)


def random_light(rng: np.random.Generator) -> Light:
    """A lamp as in a kitchen or on a desk."""
    return Light(
        azimuth=float(rng.uniform(0, 2 * np.pi)),
        elevation=float(np.radians(rng.uniform(32, 70))),
        ambient=float(rng.uniform(0.25, 0.6)),
        hardness=float(rng.uniform(0.1, 0.9)),
    )


def to_linear(srgb: Float32) -> Float32:
    return srgb * srgb


def to_srgb(linear: Float32) -> Float32:
    return np.sqrt(np.clip(linear, 0, 1))


def diffuse(normal: Float32, light: Light) -> Float32:
    """Light that a matte surface gives back, (S, S); a level surface gives exactly 1."""
    lamp = light.direction()
    cosine = normal @ lamp
    wrap = 0.25 * (1 - light.hardness)  # a large lamp reaches a little round the corner
    direct = np.maximum((cosine + wrap) / (lamp[2] + wrap), 0)
    sky = 0.45 + 0.55 * normal[..., 2]
    return light.ambient * sky + (1 - light.ambient) * direct


def mirrored(normal: Float32, light: Light, gloss: float, round_body: bool) -> Float32:
    """Light that a coat mirrors, (S, S), to be added: a lamp with soft edges, its dim counterpart, and the rim.

    `round_body`: capsules show the lamp as a crisp window, pressed tablets as a broad sheen.
    """
    lamp = light.direction()
    half = lamp + np.array([0, 0, 1], dtype=np.float32)
    half /= np.linalg.norm(half)
    sideways = np.array([-np.sin(light.azimuth), np.cos(light.azimuth)], dtype=np.float32)
    towards = np.array([np.cos(light.azimuth), np.sin(light.azimuth)], dtype=np.float32)
    across = normal[..., :2] @ sideways
    along = normal[..., :2] @ towards - np.hypot(half[0], half[1])
    sheen = np.exp(-(across**2 + along**2) / (2 * (0.30 - 0.2 * gloss) ** 2))
    light_back = 0.22 * gloss * gloss * sheen
    if round_body:
        soft = 0.05 + 0.1 * (1 - light.hardness)
        window = _soft_step((0.17 - np.abs(along)) / soft) * _soft_step((0.30 - np.abs(across)) / soft)
        counter = normal[..., :2] @ towards + 0.62
        second = _soft_step((0.07 - np.abs(counter)) / soft) * _soft_step((0.35 - np.abs(across)) / soft)
        light_back = light_back + gloss * (0.75 * window + 0.16 * second)
    grazing = (1 - normal[..., 2]) ** 4
    return light_back + 0.25 * gloss * grazing


def _soft_step(t: Float32) -> Float32:
    t = np.clip(t * 0.5 + 0.5, 0, 1)
    return t * t * (3 - 2 * t)
