"""`python -m training render`: photos of pills that nobody has to photograph.

The photos in `examples/` are made by

    python -m training render --pill 'TEVA|576|round|blue|tablet' --seed 7 --surface wood --out examples
    python -m training render --pill 'TEVA|576|round|blue|tablet' --pill 'SP|100|oval|yellow|tablet' \\
        --pill 'MYLAN 2264|MYLAN 2264|oblong|black,purple|hard capsule' --pill 'TP|500|oblong|pink|tablet' \\
        --pill '5 MG|1080|round|pink|tablet' --seed 13 --surface cloth --out examples
"""

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pipeline.schemas import CatalogItem
from pipeline.vocabulary import COLORS, FORMS, SHAPES
from training.rendering.look import PillLook, look_of
from training.rendering.photo import render_group, render_pair
from training.rendering.surface import SURFACES
from training.rendering.typeface import BUILT_IN

_JPEG_QUALITY = 88


def main(argv: list[str]) -> None:
    """Write front.jpg and back.jpg of one pill, or group.jpg of several."""
    parser = argparse.ArgumentParser(
        prog="python -m training render", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--pill", action="append", required=True, type=_item, metavar="FRONT|BACK|SHAPE|COLOR,...|FORM",
        help="imprint of each side (may be empty), shape, one or two colours, form; several give one photo of all",
    )  # fmt: skip
    parser.add_argument("--seed", type=int, default=0, help="another seed, another table, lamp, font and tint")
    parser.add_argument("--width", type=int, default=1200, help="px, at least 200")
    parser.add_argument("--height", type=int, default=900, help="px, at least 200")
    parser.add_argument("--surface", choices=sorted(SURFACES), help="what the pills lie on; default: any")
    parser.add_argument("--roughness", type=float, default=0.4, help="of the camera, 0 (perfect) to 1 (poor)")
    parser.add_argument("--out", type=Path, required=True, help="folder for the photos")
    options = parser.parse_args(argv)
    if min(options.width, options.height) < 200:
        parser.error("width and height must be at least 200 px")
    rng = np.random.default_rng(options.seed)
    looks: list[PillLook] = [look_of(item, rng, fonts=BUILT_IN) for item in options.pill]
    options.out.mkdir(parents=True, exist_ok=True)
    scene = {
        "width": options.width, "height": options.height, "surface": options.surface, "roughness": options.roughness
    }  # fmt: skip
    if len(looks) > 1:
        _save(options.out / "group.jpg", render_group([(look, "front") for look in looks], rng, **scene).image)
        return
    for side, photo in zip(("front", "back"), render_pair(looks[0], rng, **scene), strict=True):
        _save(options.out / f"{side}.jpg", photo.image)


def _item(text: str) -> CatalogItem:
    parts = text.split("|")
    if len(parts) != 5:
        raise argparse.ArgumentTypeError(f"needs five parts with | between them, not {text!r}")
    front, back, shape, colors, form = (part.strip() for part in parts)
    for word, known in ((shape, SHAPES), (form, FORMS), *((color, COLORS) for color in colors.split(","))):
        if word not in known:
            raise argparse.ArgumentTypeError(f"{word!r} is none of: {', '.join(known)}")
    return CatalogItem(
        item_id="drawn:1", catalog="drawn", name="drawn", imprint_front=front, imprint_back=back, shape=shape,
        colors=colors.split(","), form=form,
    )  # fmt: skip


def _save(path: Path, image: NDArray[np.uint8]) -> None:
    Image.fromarray(image).save(path, quality=_JPEG_QUALITY, optimize=True)
    print(f"{path}: {image.shape[1]} x {image.shape[0]} px, {path.stat().st_size / 1000:.0f} kB")
