"""Which pills a photo is said to hold: detector, closer look and the background remover's verdict together, as
`/v1/detect` answers, at the score from which a box counts there."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.average_precision import Matches, match
from benchmarks.rows import Row, bootstrap, share_row
from pipeline.identify import Pipeline
from pipeline.photo import Photo, read_photo
from pipeline.pills import DetectionLimits
from pipeline.ports import Runners
from pipeline.schemas import Versions
from runners.background import BackgroundRemover
from runners.detector import Detector
from training.cutouts import load_nih_crops
from training.scenes import SceneGenerator

Floats = NDArray[np.float32]

PART: Final = "found"
WORKING_SCORE: Final = DetectionLimits().score
HALF_OF_12_MP: Final = (1500, 2000)
"""Height and width to which a photo of 4000 x 3000 is decoded."""


@dataclass(frozen=True, slots=True)
class FindersOnly:
    """The two runners that finding needs, in this process."""

    detector: Detector
    remover: BackgroundRemover

    async def detect(self, frame: NDArray[np.uint8]) -> Floats:
        return self.detector.detect(frame)

    async def mask(self, crops: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return self.remover.mask(crops)

    async def judge(self, crops: NDArray[np.uint8]) -> Floats:
        return self.remover.judge(crops)


def finder(models_dir: Path | None, limits: DetectionLimits | None = None) -> Pipeline:
    """A pipeline that can `detect`, and nothing else."""
    two = FindersOnly(Detector.open(models_dir), BackgroundRemover.open(models_dir))
    nothing: Any = None  # never asked
    runners = Runners(detector=two, background=two, classifier=nothing, embedder=nothing, ocr=nothing)
    return Pipeline(runners, nothing, Versions(bundle="", models={}, index="", catalogs={}), nothing, limits)


def found(pipeline: Pipeline, photo: Photo) -> Floats:
    """Boxes of the answer, (N, 5): px of the photo, score."""
    pills = asyncio.run(pipeline.detect(photo)).pills
    return np.array([[*pill.box, pill.score] for pill in pills], np.float32).reshape(-1, 5)


def working_rows(pipeline: Pipeline, photos: Sequence[tuple[Path, Floats]], name: str) -> list[Row]:
    """Recall and precision at overlap .5 and the working score; the interval is a bootstrap over photos."""
    matches = [match(found(pipeline, read_photo(path.read_bytes())), truth, 0.5) for path, truth in photos]
    return [_row(name, f"recall at {WORKING_SCORE}", matches, recall),
            _row(name, f"precision at {WORKING_SCORE}", matches, precision)]  # fmt: skip


def _row(name: str, metric: str, matches: Sequence[Matches], measure: Callable[[Sequence[Matches]], float]) -> Row:
    return Row(PART, name, metric, measure(matches), *bootstrap(matches, measure), len(matches), "photos")


def recall(photos: Sequence[Matches]) -> float:
    """True boxes met, of all. Raises ValueError where there are none."""
    total = sum(photo.truth for photo in photos)
    if not total:
        raise ValueError("no true boxes")
    return float(sum(photo.hits.sum() for photo in photos) / total)


def precision(photos: Sequence[Matches]) -> float:
    """Found boxes that are right, of all; 1 where nothing was found."""
    boxes = sum(len(photo.hits) for photo in photos)
    return float(sum(photo.hits.sum() for photo in photos) / boxes) if boxes else 1.0


def false_pill_rows(pipeline: Pipeline, folder: Path) -> list[Row]:
    """Pills said to be on photos that have none: how many in all, and on what share of the photos."""
    counts = [len(found(pipeline, read_photo(path.read_bytes()))) for path in sorted((folder / "img").iterdir())]

    def total(some: Sequence[int]) -> float:
        return float(sum(some))

    name, interval = folder.name, bootstrap(counts, total)
    return [
        Row(PART, name, f"false pills at {WORKING_SCORE}", total(counts), *interval, len(counts), "photos"),
        share_row(PART, name, "photos with a false pill", sum(c > 0 for c in counts), len(counts), unit="photos"),
    ]


def small_pill_rows(models_dir: Path | None, data: Path, photos: int = 5, seed: int = 5) -> list[Row]:
    """Recall on generated 12-megapixel scenes with pills of 10 to 26 px at the detector's working size, with and
    without the closer look. Scenes, not photos: there are no such photos with boxes."""
    scenes = SceneGenerator(data, load_nih_crops(data, limit=300))
    rng = np.random.default_rng(seed)
    made = [scenes.scene(rng, HALF_OF_12_MP, 8, extent=(0.03, 0.07), touching=0.3) for _ in range(photos)]
    rows = []
    for metric, pipeline in (
        ("with", finder(models_dir)),
        ("without", finder(models_dir, DetectionLimits(closer=False))),
    ):
        began = time.process_time()
        matches = [
            match(found(pipeline, Photo(scene.image, 1.0, HALF_OF_12_MP[1], HALF_OF_12_MP[0])), scene.boxes, 0.5)
            for scene in made
        ]
        spent = (time.process_time() - began) / photos * 1000
        name, label = "scenes of small pills", f"{metric} closer look"
        rows += [
            _row(name, f"recall, {label}", matches, recall),
            _row(name, f"precision, {label}", matches, precision),
            Row(PART, name, f"CPU ms a photo, {label}", spent, spent, spent, photos, "photos"),
        ]
    return rows
