"""Pictures to check and calibrate an export on: photos from the data folder, rendered ones where there is none."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from export.targets import Target
from pipeline.cutout import crop_around
from pipeline.schemas import CatalogItem
from runners.images import resize
from training.cutouts import read_rgb
from training.rendering.look import look_of
from training.rendering.photo import RenderedPhoto, render_photo

UInt8 = NDArray[np.uint8]

FOLDERS = {"photo": "detect/mypillbox_train/img", "crop": "nih/consumer/img", "cutout": "nih/crops"}
"""Where real pictures of each kind lie under the data folder. NIH crops are cut-outs on black already."""


def _rendered(number: int) -> RenderedPhoto:
    rng = np.random.default_rng(number)
    colors = ["white", "yellow", "blue", "red", "green", "brown"]
    item = CatalogItem(
        item_id=f"sample:{number}", catalog="sample", name="sample", imprint_front=f"P{number}", imprint_back="",
        shape=["round", "oval", "oblong"][number % 3], colors=[colors[number % len(colors)]], form="tablet",
    )  # fmt: skip
    return render_photo(look_of(item, rng), "front", rng, width=640, height=480)


def _rendered_picture(kind: str, number: int) -> UInt8:
    """One rendered picture of a `kind`: the photo, the square around its pill, or that with all else black."""
    photo = _rendered(number)
    if kind == "photo":
        return photo.image
    pill = photo.pills[0]
    image = photo.image if kind == "crop" else photo.image * (pill.mask[..., None] > 127)
    return crop_around(image, pill.box).pixels


def pictures(target: Target, size: int, count: int, data: Path | None) -> UInt8:
    """(count, size, size, 3) uint8 RGB of the kind that `target` sees in use, stretched square; the same every time."""
    files = sorted((data / FOLDERS[target.sample]).glob("*.jpg")) if data else []
    if not files:
        images = [_rendered_picture(target.sample, number) for number in range(count)]
    else:
        chosen = np.random.default_rng(0).choice(len(files), min(count, len(files)), replace=False)
        images = [read_rgb(files[i]) for i in chosen]
    return np.stack([resize(image, size, size) for image in images])
