"""`python -m benchmarks batching`: is it worth it that images of several requests share a run of a model?

Processor time per image, by the number of images in a run, for the three runners that can be batched: what a batch
saves or costs, whatever else the machine does meanwhile.
"""

import argparse
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np

from benchmarks.report import RESULTS, machine
from pipeline.cutout import crop_around, cut_out
from pipeline.photo import read_photo
from pipeline.ports import UInt8
from pipeline.settings import ROOT
from runners.background import BackgroundRemover
from runners.classifier import Classifier
from runners.detector import Detector
from runners.embedder import Embedder
from runners.ocr import Reader

SIZES: Final = (1, 2, 4, 8)


def cutouts() -> UInt8:
    """(2, S, S, 4): the example pill from both sides."""
    detector, background = Detector.open(), BackgroundRemover.open()
    found = []
    for side in ("front", "back"):
        photo = read_photo((ROOT / "examples" / f"{side}.jpg").read_bytes()).pixels
        x1, y1, x2, y2, _ = (float(value) for value in detector.detect(photo)[0])
        crop = crop_around(photo, (x1, y1, x2, y2)).pixels
        found.append(cut_out(crop, background.mask(crop[None])[0]))
    return np.stack(found)


def per_image_ms(method: Callable[[UInt8], Any], images: UInt8, size: int, total: int) -> float:
    """Median processor time of `method`, ms per image, over runs of `size` images, `total` in all."""
    batch = np.resize(images, (size, *images.shape[1:]))
    method(batch)  # memory and caches
    spent = []
    for _ in range(total // size):
        began = time.process_time()
        method(batch)
        spent.append((time.process_time() - began) * 1000 / size)
    return float(np.median(spent))


def main(argv: Sequence[str]) -> None:
    """Entry of `python -m benchmarks batching`."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks batching", description=__doc__)
    parser.add_argument("--images", type=int, default=48, help="per runner and size (default: 48)")
    arguments = parser.parse_args(argv)
    images = cutouts()
    runners = {"classifier": Classifier.open().classify, "embedder": Embedder.open().embed, "ocr": Reader.open().read}
    lines = [
        "# Batching", "",
        f"`python -m benchmarks batching --images {arguments.images}`, {datetime.now(UTC):%Y-%m-%d}, {machine()}. "
        "Processor time per image, ms (median), by images in one run of the model; one thread.", "",
        "| runner | " + " | ".join(map(str, SIZES)) + " |", "|---" * (1 + len(SIZES)) + "|",
    ]  # fmt: skip
    for name, method in runners.items():
        costs = [per_image_ms(method, images, size, arguments.images) for size in SIZES]
        lines.append(f"| {name} | " + " | ".join(f"{cost:.1f}" for cost in costs) + " |")
    page = "\n".join(lines) + "\n"
    print(page)
    (RESULTS / "batching.md").write_text(page, encoding="utf-8")
