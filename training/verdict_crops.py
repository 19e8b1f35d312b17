"""What the verdict learns from: crops of real and generated pills, and of what the detector takes for one.

Every crop comes from a photo with a name, so that the split is by photo. Crops are stored wide, as those of the
background remover (`training.mask_crops`), and every use takes another view of them.
"""

import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from pipeline.cutout import crop_around
from runners.detector import Detector
from training.consumer import load_photos
from training.cutouts import load_nih_crops, read_rgb
from training.detector_data import bare_crop, coco_boxes
from training.mask_crops import STORED, WIDE
from training.outlined import UNLICENSED, outlined_pills
from training.photographed import Photographed, fetch_stamps
from training.scenes import SceneGenerator

UInt8 = NDArray[np.uint8]
Float32 = NDArray[np.float32]

SHORTEST: Final = 24
"""Shorter pills, px, say little of what a pill looks like."""

DECIDES: Final = (
    "seed", "mistaken", "most_per_picture", "anywhere", "bare", "background_parts", "ruled", "scenes", "things",
)  # fmt: skip
"""Settings that decide what is collected; the shipped detector does, too."""

Row = tuple[UInt8, bool, str, str]
"""Crop, is it a pill, source, photo."""


@dataclass(frozen=True, slots=True)
class Things:
    """Crops (N, STORED, STORED, 3) of boxes; `is_pill` (N,) bool; `source` and `photo` (N,) str: where each is from."""

    crops: UInt8
    is_pill: NDArray[np.bool_]
    source: NDArray[np.str_]
    photo: NDArray[np.str_]


def _wide(image: UInt8, box: Any) -> UInt8:
    x1, y1, x2, y2 = (float(value) for value in box[:4])
    return crop_around(image, (x1, y1, x2, y2), margin=WIDE, size=STORED).pixels


def apart(box: Float32, truth: Float32) -> bool:
    """Does `box` (4+,) lie clear of every one of `truth` (N, 4)?"""
    wide = np.minimum(box[2], truth[:, 2]) - np.maximum(box[0], truth[:, 0])
    high = np.minimum(box[3], truth[:, 3]) - np.maximum(box[1], truth[:, 1])
    return bool(((wide <= 0) | (high <= 0)).all())


class Collector:
    """Runs the detector over everything that teaches something.

    Args:
        config: `mistaken` (score from which a box without a pill is a mistake to learn from), `most_per_picture`,
            `anywhere` (boxes drawn at random in each photo), `bare` (pill-less parts of each photo),
            `background_parts`, `ruled` (Taiwan FDA photos), `scenes` (pictures with pills and things), `things`
            (pictures of things alone), `seed`.
        data: the data folder.
    """

    def __init__(self, config: dict[str, Any], data: Path, detector: Detector) -> None:
        self.config, self.data, self.detector = config, data, detector

    def mistakes(self, image: UInt8, truth: Float32, source: str, photo: str) -> Iterator[Row]:
        """Boxes of a picture that are clear of its pills, the best first."""
        found = [box for box in self.detector.detect(image) if box[4] >= self.config["mistaken"] and apart(box, truth)]
        for box in found[: self.config["most_per_picture"]]:
            yield _wide(image, box), False, source, photo

    def anywhere(self, image: UInt8, truth: Float32, photo: str) -> Iterator[Row]:
        """Boxes of a pill's usual size drawn at random, clear of every pill: hands, tables, packages. Without them all
        that looks photographed would be a pill, as most mistakes are of generated scenes."""
        height, width = image.shape[:2]
        rng = np.random.default_rng(self.config["seed"])
        left = self.config["anywhere"]
        for _ in range(4 * left):
            w, h = np.exp(rng.uniform(np.log(0.05), np.log(0.5), 2)) * min(width, height)
            if max(w, h) > 2.2 * min(w, h):
                continue
            x, y = rng.uniform(0, width - w), rng.uniform(0, height - h)
            box = np.array([x, y, x + w, y + h], np.float32)
            if left and apart(box, truth):
                left -= 1
                yield _wide(image, box), False, "anywhere", photo

    def photos(self, folder: str, skip: set[str]) -> Iterator[Row]:
        """Pills of a COCO folder at their true boxes, what the detector boxes beside them, and in parts without any."""
        for path, truth in coco_boxes(self.data / "detect" / folder, [UNLICENSED]):
            if path.name in skip:
                continue
            image = read_rgb(path)
            for box in truth:
                if max(box[2] - box[0], box[3] - box[1]) >= SHORTEST:
                    yield _wide(image, box), True, folder, path.stem
            yield from self.mistakes(image, truth, f"{folder}, beside", path.stem)
            yield from self.anywhere(image, truth, path.stem)
            rng = np.random.default_rng(self.config["seed"])
            for _ in range(self.config["bare"]):
                if (bare := bare_crop((image, truth), rng)) is not None:
                    yield from self.mistakes(bare[0], bare[1], "parts of photos", path.stem)

    def backgrounds(self) -> Iterator[Row]:
        """What the detector boxes on tables and fabric, whole and in parts."""
        none = np.zeros((0, 4), np.float32)
        for path in sorted((self.data / "backgrounds").glob("*.jpg")):
            image, rng = read_rgb(path), np.random.default_rng(self.config["seed"])
            yield from self.mistakes(image, none, "backgrounds", path.stem)
            yield from self.anywhere(image, none, path.stem)
            for _ in range(self.config["background_parts"]):
                part = bare_crop((image, none), rng)
                assert part is not None  # nothing is in the way
                yield from self.mistakes(part[0], none, "backgrounds", path.stem)

    def sure(self, paths: list[Path], source: str, bar: float, most: int) -> Iterator[Row]:
        """Photos that show pills at places nobody wrote down: what the detector is sure of is one."""
        for path in tqdm(paths, source, mininterval=10):
            image = read_rgb(path)
            for box in [box for box in self.detector.detect(image) if box[4] >= bar][:most]:
                yield _wide(image, box), True, source, path.stem

    def scenes(self) -> Iterator[Row]:
        """Generated scenes: pills with things beside them, and things alone."""
        made = SceneGenerator(self.data, load_nih_crops(self.data, limit=500), Photographed(fetch_stamps()))
        for number in tqdm(range(self.config["scenes"] + self.config["things"]), "scenes", mininterval=10):
            rng = np.random.default_rng((self.config["seed"], number))
            alone = number >= self.config["scenes"]
            side = int(rng.integers(416, 641))
            scene = made.scene(
                rng, (side, side), 0 if alone else int(rng.integers(1, 4)), extent=(0.1, 0.6),
                touching=0.5, things=int(rng.integers(1, 9 if alone else 4)), thing_extent=(0.06, 0.9),
            )  # fmt: skip
            for box in scene.boxes:
                yield _wide(scene.image, box), True, "scenes", f"scene {number}"
            truth = np.asarray(scene.boxes, np.float32).reshape(-1, 4)
            yield from self.mistakes(scene.image, truth, "scenes of things", f"scene {number}")

    def rows(self) -> Iterator[Row]:
        """All of them. Photos that other reports hold out are left out."""
        rng = np.random.default_rng(self.config["seed"])
        yield from self.photos("boostcamp_train", {pill.file.name for pill in outlined_pills(self.data, held_out=True)})
        yield from self.photos("mypillbox_train", set())
        ruled = sorted((self.data / "tfda/img").glob("*.webp"))
        drawn = rng.choice(len(ruled), self.config["ruled"], replace=False)
        yield from self.sure([ruled[n] for n in drawn], "tfda", 0.6, 2)
        yield from self.sure([photo.path for photo in load_photos(self.data)[1]], "consumer", 0.3, 1)
        yield from self.backgrounds()
        yield from self.scenes()


def collect(config: dict[str, Any], data: Path, folder: Path) -> Things:
    """Everything to tell apart; made on first use, kept in `folder` under what decides about it."""
    asked = json.dumps({name: config[name] for name in DECIDES}, sort_keys=True)
    path = folder / f"things-{zlib.crc32(asked.encode()):08x}.npz"
    if not path.is_file():
        crops, is_pill, source, photo = zip(*Collector(config, data, Detector.open()).rows(), strict=True)
        aside = path.with_suffix(".part.npz")
        np.savez(
            aside, crops=np.stack(crops), is_pill=np.array(is_pill), source=np.array(source), photo=np.array(photo)
        )
        aside.replace(path)
    with np.load(path) as stored:
        return Things(stored["crops"], stored["is_pill"], stored["source"], stored["photo"])
