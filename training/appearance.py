"""How one pill looks under another light and from another angle: what a consumer's photo does to a reference.

All functions take and return (H, W, 4) uint8 RGBA with alpha 0/255 (or float RGB where said), and a
`numpy.random.Generator` for every choice.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

UInt8 = NDArray[np.uint8]
Float32 = NDArray[np.float32]


def bleed(rgba: UInt8) -> UInt8:
    """RGB of a cut-out with its rim colour carried 2 px outwards, so that a soft rim does not mix with black."""
    rgb, alpha = rgba[..., :3].astype(np.float32), (rgba[..., 3] > 0).astype(np.float32)[..., None]
    weight = cv2.blur(alpha, (5, 5))[..., None]
    grown = cv2.blur(rgb * alpha, (5, 5)) / np.maximum(weight, 1e-6)
    return np.asarray(np.where(alpha > 0, rgb, np.where(weight > 0, grown, 0)), np.uint8)


def turn(rgba: UInt8, angle: float, scale: float, tilt: tuple[float, float], size: int) -> UInt8:
    """Rotate by `angle` degrees, scale, and tilt about both axes.

    RGB under alpha 0 should continue the rim's colour (`bleed`), or the turned rim mixes with black.
    `tilt`: foreshortening of the two axes, shares in [0, 0.3], with a slight keystone; `size`: side of the result.
    """
    h, w = rgba.shape[:2]
    corners = np.array([[-w, -h], [w, -h], [w, h], [-w, h]], np.float32) / 2 * scale
    a = np.deg2rad(angle)
    corners = corners @ np.array([[np.cos(a), np.sin(a)], [-np.sin(a), np.cos(a)]], np.float32)
    corners[:, 0] *= (1 - tilt[0]) * (1 + 0.25 * tilt[1] * corners[:, 1] / h)
    corners[:, 1] *= 1 - tilt[1]
    source = np.array([[0, 0], [w, 0], [w, h], [0, h]], np.float32)
    matrix = cv2.getPerspectiveTransform(source, (corners + size / 2).astype(np.float32))
    if scale < 0.6:
        rgba = np.asarray(cv2.GaussianBlur(rgba, (0, 0), 0.35 / scale), np.uint8)
    out = cv2.warpPerspective(rgba, matrix, (size, size), flags=cv2.INTER_LINEAR)
    out[..., 3] = np.where(out[..., 3] > 127, 255, 0)
    out[..., :3] *= out[..., 3:] > 0
    return np.asarray(out, np.uint8)


def side_wall(rgba: UInt8, rng: np.random.Generator, thickness: int) -> UInt8:
    """Give a face seen at an angle the wall below it: a flat reference never shows one, a tall pill does."""
    if thickness < 1:
        return rgba
    mask = rgba[..., 3] > 0
    kernel = np.zeros((2 * thickness + 1, 1), np.uint8)
    kernel[thickness:] = 1  # the anchor looks down the column: the mask grows downwards only
    grown = cv2.dilate(mask.astype(np.uint8), cv2.flip(kernel, 0)) > 0
    wall = grown & ~mask
    rim = mask & ~(cv2.erode(mask.astype(np.uint8), np.ones((7, 7), np.uint8)) > 0)
    color = rgba[rim][:, :3].mean(axis=0) if rim.any() else np.full(3, 128.0)
    out = rgba.copy()
    depth = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, 3) / (thickness + 1)
    shade = rng.uniform(0.55, 0.95) - rng.uniform(0.1, 0.4) * np.clip(depth, 0, 1)
    out[wall, :3] = np.clip(color * shade[wall][:, None], 0, 255)
    out[wall, 3] = 255
    return out


def relight(rgb: Float32, mask: UInt8, rng: np.random.Generator) -> Float32:
    """Move the light: strengthen, fade or turn the relief of the imprint, and shade the body.

    `rgb`: (H, W, 3) float32 0..255. The relief is what a wide blur leaves behind; a turned light is imitated by
    the derivative of the surface along the new direction.
    """
    inside = (mask > 0).astype(np.float32)[..., None]
    window = int(max(mask.shape) * 0.12) | 1  # two box filters: a wide Gaussian at a tenth of its cost
    weight = cv2.blur(cv2.blur(inside, (window, window)), (window, window))[..., None] + 1e-3
    base = cv2.blur(cv2.blur(rgb * inside, (window, window)), (window, window)) / weight
    relief = (rgb - base) * inside
    gain = rng.choice([rng.uniform(0.25, 0.9), rng.uniform(0.9, 1.6)])
    out = base + relief * gain
    if rng.random() < 0.5:
        gray = cv2.GaussianBlur(relief.mean(axis=2), (0, 0), 1.0)
        dx, dy = cv2.Sobel(gray, cv2.CV_32F, 1, 0), cv2.Sobel(gray, cv2.CV_32F, 0, 1)
        direction = rng.uniform(0, 2 * np.pi)
        bump = (np.cos(direction) * dx + np.sin(direction) * dy) * rng.uniform(0.1, 0.5)
        out = out + bump[..., None]
    ys = np.arange(mask.shape[0], dtype=np.float32)[:, None]
    xs = np.arange(mask.shape[1], dtype=np.float32)[None, :]
    direction = rng.uniform(0, 2 * np.pi)
    across, along = np.float32(np.cos(direction)), np.float32(np.sin(direction))
    ramp = (across * (xs / mask.shape[1] - 0.5) + along * (ys / mask.shape[0] - 0.5)) * 2
    out = out * (1 + rng.uniform(0, 0.3) * ramp[..., None])
    if rng.random() < 0.4:  # the rim falls away from the light
        distance = cv2.distanceTransform((mask > 0).astype(np.uint8), cv2.DIST_L2, 3)
        edge = np.exp(-distance / (max(mask.shape) * rng.uniform(0.02, 0.06)))
        out = out * (1 - rng.uniform(0, 0.45) * edge[..., None])
    if rng.random() < 0.15:  # a glossy spot
        cx, cy = rng.uniform(0.3, 0.7, 2) * mask.shape[::-1]
        radius = max(mask.shape) * rng.uniform(0.03, 0.12)
        spot = np.exp(-((xs - cx) ** 2 + (ys - cy) ** 2) / (2 * radius**2))
        out = out + rng.uniform(20, 120) * spot[..., None]
    return np.asarray(out, np.float32)


def cast(rgb: Float32, rng: np.random.Generator, strength: float = 1.0) -> Float32:
    """Colour cast, exposure, contrast and saturation of a cheap camera; `rgb`: (H, W, 3) float32 0..255."""
    warmth = rng.normal(0.02, 0.08) * strength
    gains = np.array([1 + warmth, 1 + rng.normal(0, 0.03) * strength, 1 - warmth + rng.normal(0, 0.04) * strength])
    exposure = np.exp(rng.normal(-0.05, 0.24) * strength)
    gamma = np.exp(rng.normal(0, 0.15) * strength)
    keep = rng.uniform(1 - 0.35 * strength, 1 + 0.3 * strength)
    mix = (keep * np.eye(3) + (1 - keep) / 3) @ np.diag(gains * exposure)
    linear = cv2.transform(np.asarray(rgb, np.float32), mix.astype(np.float32))
    # a table of 1024 steps: the power function over a whole photo would cost more than all the rest
    table = (255 * np.linspace(0, 1, 1024) ** gamma).astype(np.float32)
    return table[np.clip(linear * (1023 / 255), 0, 1023).astype(np.int16)]


def degrade(image: UInt8, rng: np.random.Generator, strength: float = 1.0) -> UInt8:
    """Defocus, shake, sensor noise and JPEG on a finished (H, W, 3) uint8 photo."""
    out: NDArray[np.generic] = image
    longest = max(image.shape[:2])
    if rng.random() < 0.6 * strength:
        out = cv2.GaussianBlur(np.asarray(out), (0, 0), longest * abs(rng.normal(0, 0.005)) * strength + 0.01)
    if rng.random() < 0.12 * strength:
        length = int(rng.integers(3, max(4, int(longest * 0.025))))
        kernel = np.zeros((length, length), np.float32)
        kernel[length // 2] = 1 / length
        rotation = cv2.getRotationMatrix2D((length / 2 - 0.5, length / 2 - 0.5), rng.uniform(0, 180), 1)
        out = cv2.filter2D(np.asarray(out), -1, cv2.warpAffine(kernel, rotation, (length, length)))
    if rng.random() < 0.5:
        noise = rng.standard_normal((*image.shape[:2], 1 if rng.random() < 0.5 else 3), np.float32)
        out = np.clip(np.asarray(out, np.float32) + noise * abs(rng.normal(0, 5)) * strength, 0, 255).astype(np.uint8)
    if rng.random() < 0.25:  # over-sharpened by the phone
        wide = cv2.GaussianBlur(np.asarray(out), (0, 0), 1.2)
        out = cv2.addWeighted(np.asarray(out), 1.6, wide, -0.6, 0)
    if rng.random() < 0.7:
        _, data = cv2.imencode(".jpg", np.asarray(out), [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(35, 95))])
        out = cv2.imdecode(data, cv2.IMREAD_COLOR)
    return np.asarray(out, np.uint8)
