"""Printed words, numbers and rulers on a picture: what lies beside pills and must not be taken for them."""

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

UInt8 = NDArray[np.uint8]
Boxes = NDArray[np.floating]

LETTERS = "0123456789ABCDEFGHKLMNOPRSTUabcdefghiklmnoprstu"


def _ink(text: str, height: int, rng: np.random.Generator) -> UInt8:
    """A line of text as coverage, (h, w) uint8; any of four quarter turns, upright mostly."""
    font = ImageFont.load_default(size=height)
    left, top, right, bottom = (int(v) for v in font.getbbox(text))
    image = Image.new("L", (right - left + 4, bottom - top + 4))
    ImageDraw.Draw(image).text((2 - left, 2 - top), text, fill=255, font=font)
    return np.rot90(np.asarray(image), rng.choice([0, 0, 0, 1, 3]))


def _ruler(length: int, height: int, rng: np.random.Generator) -> UInt8:
    """A scale with a long stroke and a number every ten, as coverage, (h, length) or upright."""
    step = max(length // int(rng.integers(30, 61)), 3)
    canvas = Image.new("L", (length, height * 3))
    draw = ImageDraw.Draw(canvas)
    font = ImageFont.load_default(size=height)
    draw.line([(0, 0), (length, 0)], fill=255, width=2)
    for mark, x in enumerate(range(2, length - height, step)):
        draw.line([(x, 0), (x, height if mark % 10 == 0 else height // 2)], fill=255)
        if mark % 10 == 0:
            draw.text((x - height // 3, height + 2), str(mark), fill=255, font=font)
    return np.rot90(np.asarray(canvas), rng.choice([0, 0, 1]))


def print_text(image: UInt8, boxes: Boxes, rng: np.random.Generator) -> UInt8:
    """A copy of `image` (H, W, 3) with a few prints that keep off `boxes` (n, 4: corners in px)."""
    out = image.copy()
    height, width = image.shape[:2]
    taken = np.zeros((height, width), np.uint8)
    for x1, y1, x2, y2 in boxes:
        taken[max(int(y1) - 2, 0) : int(y2) + 3, max(int(x1) - 2, 0) : int(x2) + 3] = 1
    color = np.asarray(rng.choice([20, 60, 235]) + rng.normal(0, 15, 3)).clip(0, 255)
    for number in range(int(rng.integers(2, 12))):
        size = int(np.exp(rng.uniform(np.log(8), np.log(40))))
        if number == 0 and rng.random() < 0.5:
            ink = _ruler(int(rng.uniform(0.4, 0.95) * min(height, width)), min(size, 18), rng)
        else:
            text = "".join(rng.choice(list(LETTERS), rng.integers(1, 9)))
            ink = _ink(text, size, rng)
        h, w = ink.shape
        if h >= height or w >= width:
            continue
        top, left = int(rng.integers(height - h)), int(rng.integers(width - w))
        place = np.s_[top : top + h, left : left + w]
        if taken[place].any():
            continue
        taken[place] = 1
        soft = cv2.GaussianBlur(ink, (0, 0), rng.uniform(0.3, 1.2)).astype(np.float32)[..., None] / 255
        strength = rng.uniform(0.5, 1.0)
        out[place] = np.clip(out[place] * (1 - soft * strength) + color * soft * strength, 0, 255).astype(np.uint8)
    return out
