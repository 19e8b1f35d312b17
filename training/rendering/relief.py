"""The height of a pill over its table, before anything is engraved, and the normals of a height field.

Heights are in half long axes, z up towards the camera.
"""

import cv2
import numpy as np

from training.rendering.look import PillLook
from training.rendering.outline import Float32, Frame, Outline

CAPSULE_SEAM = 0.06
"""Where the cap of a hard capsule ends, half long axes right of the middle (the cap is the left, longer half)."""
CAPSULE_STEP = 0.022
"""How much wider the cap is than the body, half long axes."""
_LAND = 0.035  # rounded edge of a tablet, half long axes


def tablet_height(look: PillLook, outline: Outline, distance: Float32, frame: Frame) -> Float32:
    """A biconvex or flat tablet with a bevel and a rounded edge."""
    depth = -distance
    inradius = max(float(depth.max()), 1e-3)
    if outline.elliptic:
        dome = 1 - np.minimum(frame.x**2 + (frame.y / outline.ratio) ** 2, 1.3)
    else:
        t = np.minimum(depth / inradius, 1)
        # 2t - t^2 inside; outside the tangent goes on, so that the blur does not bend the edge
        dome = np.where(t > 0, t * (2 - t), 2 * t).astype(np.float32)
        dome = cv2.GaussianBlur(dome, (0, 0), 0.07 * inradius * frame.scale)  # a press tool has no sharp ridges
    height = look.dome * outline.ratio * dome
    bevel = np.clip(depth / max(look.bevel, 1e-3), 0, 1)
    height = height + 0.5 * look.bevel * bevel
    edge = np.clip(depth / _LAND, 0, 1)
    height = height + _LAND * np.sqrt(edge * (2 - edge) + 1e-4)
    return cv2.GaussianBlur(height.astype(np.float32), (0, 0), max(0.6, 0.008 * frame.scale))


def soft_capsule_height(outline: Outline, distance: Float32, frame: Frame) -> Float32:
    """A liquid-filled shell: round in every cross-section."""
    if outline.elliptic:
        inside = 1 - frame.x**2 - (frame.y / outline.ratio) ** 2
        return outline.ratio * np.sqrt(np.maximum(inside, 0.003)).astype(np.float32)
    depth = -distance
    inradius = max(float(depth.max()), 1e-3)
    t = np.clip(depth / inradius, 0, 1)
    return inradius * np.sqrt(np.maximum(t * (2 - t), 0.003)).astype(np.float32)


def hard_capsule_distance(ratio: float, frame: Frame) -> Float32:
    """Signed distance of two telescoped stadiums: the body a step slimmer than the cap."""
    x, y = frame.x, frame.y
    body = np.hypot(np.maximum(np.abs(x) - (1 - ratio), 0), y) - np.float32(ratio - CAPSULE_STEP)
    cap = np.hypot(np.maximum(-x - (1 - ratio), 0), y) - np.float32(ratio)
    return np.minimum(np.maximum(cap, x - CAPSULE_SEAM), body)


def hard_capsule_height(ratio: float, frame: Frame) -> Float32:
    x, y = frame.x, frame.y
    radius = np.where(x < CAPSULE_SEAM, ratio, ratio - CAPSULE_STEP)
    # shallow locking ring, as pressed into nearly every cap
    radius = radius - 0.006 * np.exp(-(((x + 0.18) / 0.02) ** 2))
    beyond = np.maximum(np.abs(x) - (1 - ratio), 0)
    return np.sqrt(np.maximum(radius**2 - y * y - beyond**2, 0.002)).astype(np.float32)


def normals(height: Float32, scale: float) -> Float32:
    """Unit normals (S, S, 3) float32 of a height field (S, S) in half long axes at `scale` px each."""
    dx = cv2.Scharr(height, cv2.CV_32F, 1, 0, scale=scale / 32)
    dy = cv2.Scharr(height, cv2.CV_32F, 0, 1, scale=scale / 32)
    length = np.sqrt(dx * dx + dy * dy + 1)
    return np.stack([-dx / length, -dy / length, 1 / length], axis=2)
