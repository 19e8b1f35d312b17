"""`python -m benchmarks views --data DIR`: do the views we train on look like the photos that people take?

Each development photo's cut-out against the nearer side of its reference, and each generated view against the
reference it was made from: exposure, colour cast, sharpness, contrast of the relief, area of the mask. Writes the
percentiles as a table and both distributions as a figure. Runs in the training environment.
"""

import argparse
import csv
from pathlib import Path
from typing import Final

import cv2
import matplotlib as mpl
import numpy as np
from matplotlib import pyplot
from numpy.typing import NDArray

from benchmarks.options import parse_with_data
from benchmarks.report import RESULTS, machine
from pipeline.cutout import cut_out
from runners.embedder import Embedder
from training.consumer import load_photos
from training.cutouts import PillImage, load_nih_crops
from training.real_cutouts import Cutter, consumer_queries
from training.views import ConsumerViews

UInt8 = NDArray[np.uint8]
Float64 = NDArray[np.float64]

SIZE: Final = 128
VIEWS: Final = 300
PERCENTILES: Final = (5, 25, 50, 75, 95)
NAMES: Final = (
    "exposure: log mean", "red against green: log", "blue against green: log", "sharpness: log Laplacian",
    "relief: log deviation", "area of the mask: log",
)  # fmt: skip


def differences(seen: UInt8, reference: UInt8) -> list[float]:
    """How a cut-out differs from its reference, (SIZE, SIZE, 4) uint8 RGBA each; natural logarithms, as `NAMES`."""
    mine, its = _statistics(seen), _statistics(reference)
    red, green, blue, sharpness, relief, area = np.log((mine + 1) / (its + 1))
    return [(red + green + blue) / 3, red - green, blue - green, sharpness, relief, area]


def _statistics(cutout: UInt8) -> Float64:
    """Mean of red, green, blue; deviation of the Laplacian and of what a blur leaves behind; area in px."""
    inside = cv2.erode(cutout[..., 3], np.ones((5, 5), np.uint8)) > 0
    gray = cv2.cvtColor(np.ascontiguousarray(cutout[..., :3]), cv2.COLOR_RGB2GRAY).astype(np.float32)
    relief = gray - cv2.GaussianBlur(gray, (0, 0), 4)
    means = cutout[inside][:, :3].mean(axis=0)
    return np.array([*means, cv2.Laplacian(gray, cv2.CV_32F)[inside].std(), relief[inside].std(),
                     np.count_nonzero(cutout[..., 3])], np.float64)  # fmt: skip


def small(cutout: UInt8) -> UInt8:
    """To (SIZE, SIZE, 4), its mask 0 or 255."""
    out = np.asarray(cv2.resize(cutout, (SIZE, SIZE), interpolation=cv2.INTER_AREA), np.uint8)
    out[..., 3] = np.where(out[..., 3] > 127, 255, 0)
    return out


def real_differences(pills: list[PillImage], data: Path) -> Float64:
    """(photos, 6): every development photo against the side of its pill that the embedder finds nearer."""
    known, unknown = load_photos(data)
    queries = {query.name: query for query in consumer_queries(Cutter(None), [*known, *unknown])}
    embed = Embedder.open(None).embed
    sides: dict[str, list[UInt8]] = {}
    for pill in pills:
        for look in pill.appearance.split("|"):
            sides.setdefault(look, []).append(cut_out(pill.rgba[..., :3], pill.rgba[..., 3]))
    rows = []
    for photo in known:
        for cutout in queries[photo.number].cutouts:
            turns = embed(cutout[None])[0]
            near = max(sides[photo.appearance], key=lambda side: float((turns @ embed(side[None])[0, 0]).max()))
            rows.append(differences(small(cutout), small(near)))
    return np.array(rows)


def made_differences(pills: list[PillImage], data: Path) -> Float64:
    """(VIEWS, 6): views of random sides, all under a lamp; training takes fewer (see `ConsumerViews`)."""
    maker, rng = ConsumerViews(data, size=SIZE, pool=60, seed=1, lamps=1.0), np.random.default_rng(1)
    rows = []
    for _ in range(VIEWS):
        rgba = pills[rng.integers(len(pills))].rgba
        exact = cut_out(rgba[..., :3], rgba[..., 3], size=SIZE)
        rows.append(differences(maker.view(rgba, rng), exact))
    return np.array(rows)


def draw(real: Float64, made: Float64, path: Path) -> None:
    """Both distributions of each statistic, side by side."""
    mpl.use("Agg")
    figure, axes = pyplot.subplots(2, 3, figsize=(11, 5.5), layout="constrained")
    for name, axis, mine, its in zip(NAMES, axes.ravel(), real.T, made.T, strict=True):
        bins = np.linspace(*np.percentile(np.concatenate([mine, its]), [1, 99]), 22)
        axis.hist(its, bins, density=True, alpha=0.5, label=f"views, n = {len(its)}", color="tab:blue")
        axis.hist(mine, bins, density=True, histtype="step", lw=2, label=f"photos, n = {len(mine)}", color="tab:red")
        axis.set_title(name, fontsize=10)
        axis.set_yticks([])
    axes[0, 0].legend(fontsize=8)
    figure.suptitle("Against the reference photo: development photos and generated views")
    figure.savefig(path, dpi=80, metadata={"Software": None})
    pyplot.close(figure)


def main(argv: list[str]) -> None:
    """Entry of `python -m benchmarks views`."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks views", description=__doc__)
    arguments = parse_with_data(parser, argv)
    known, _ = load_photos(arguments.data)
    looks = {photo.appearance for photo in known}
    every = load_nih_crops(arguments.data)
    real = real_differences([p for p in every if looks & set(p.appearance.split("|"))], arguments.data)
    made = made_differences(every, arguments.data)
    with (RESULTS / "views.csv").open("w", newline="", encoding="utf-8") as handle:
        writer = csv.writer(handle)
        writer.writerow(["statistic", "of", "n", *(f"p{p}" for p in PERCENTILES)])
        for column, name in enumerate(NAMES):
            for of, values in (("photos", real), ("views", made)):
                spread = np.percentile(values[:, column], PERCENTILES)
                writer.writerow([name, of, len(values), *(f"{value:.2f}" for value in spread)])
    draw(real, made, RESULTS / "views.png")
    print((RESULTS / "views.csv").read_text(encoding="utf-8"), machine())
