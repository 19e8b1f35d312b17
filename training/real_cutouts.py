"""Photos -> cut-outs as the service makes them, kept under runs/ so that the next embedder is measured in a minute."""

import asyncio
import csv
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

import numpy as np
from tqdm import tqdm

from index.cache import fingerprint
from index.faces import find_faces
from pipeline.cutout import CUTOUT_SIZE, crop_around, cut_out
from pipeline.errors import RunnerUnavailable
from pipeline.identify import Pipeline, Walk
from pipeline.photo import read_photo
from pipeline.ports import Float32, Runners, UInt8
from runners.background import BackgroundRemover
from runners.detector import Detector
from runners.session import MODELS_DIR, read_manifest
from training.consumer import ConsumerPhoto
from training.cutouts import read_rgb
from training.insets import bare

KEPT: Final = Path("runs") / "retrieval"


class Cutter:
    """The pipeline's walk as far as the cut-out: detector and background remover are real, the rest is absent."""

    def __init__(self, models_dir: Path | None) -> None:
        self._detector = Detector.open(models_dir)
        self._remover = BackgroundRemover.open(models_dir)
        self._cut: UInt8 | None = None
        walker = cast(Any, self)
        self.runners = Runners(detector=self, background=self, classifier=walker, embedder=self, ocr=walker)
        # the walk to a cut-out asks neither the catalogues nor the weights
        self._pipeline = Pipeline(self.runners, cast(Any, None), cast(Any, None), cast(Any, None))
        models = read_manifest(models_dir or MODELS_DIR).models
        self.version = fingerprint(models["detector"].sha256, models["background"].sha256, models["verdict"].sha256)

    async def detect(self, frame: UInt8) -> Float32:
        """See `pipeline.ports.Detector`."""
        return self._detector.detect(frame)

    async def mask(self, crops: UInt8) -> UInt8:
        """See `pipeline.ports.Background`."""
        return self._remover.mask(crops)

    async def judge(self, crops: UInt8) -> Float32:
        """See `pipeline.ports.Background`."""
        return self._remover.judge(crops)

    async def classify(self, _: UInt8) -> Float32:
        """Absent."""
        raise RunnerUnavailable("classifier")

    async def read(self, _: UInt8) -> list[Any]:
        """Absent."""
        raise RunnerUnavailable("ocr")

    async def embed(self, cutouts: UInt8) -> Float32:
        """Keeps what it is asked to embed."""
        self._cut = cutouts[0]
        raise RunnerUnavailable("embedder")

    def one_pill(self, photo: Path) -> UInt8 | None:
        """(CUTOUT_SIZE, CUTOUT_SIZE, 4) of the pill that `/v1/identify` would look at; None where it asks for another
        photo."""
        self._cut = None
        asyncio.run(self._pipeline.look(read_photo(photo.read_bytes()), Walk()))
        return self._cut

    def two_faces(self, photo: Path) -> list[UInt8]:
        """Cut-outs of at most two faces of one pill on a photo that shows both; where it has an inset, from that."""
        pixels = bare(read_photo(photo.read_bytes()).pixels)
        faces = asyncio.run(find_faces(pixels, self, self, 2))
        return [face.cut_out(pixels) for face in faces]

    def boxed(self, image: UInt8, box: Sequence[float]) -> UInt8 | None:
        """The pill in a box of `image` (H, W, 3); x, y, width, height px. None where no pill is seen in it."""
        x, y, w, h = box
        crop = crop_around(image, (x, y, x + w, y + h))
        mask = self._remover.mask(crop.pixels[None])[0]
        return cut_out(crop.pixels, mask) if mask.any() else None


@dataclass(frozen=True, slots=True)
class Query:
    """Cut-outs of one pill (one face or two, [] = not found) and the names of the right answers."""

    name: str
    cutouts: list[UInt8]
    right: frozenset[str]


def consumer_queries(cutter: Cutter, photos: Sequence[ConsumerPhoto]) -> list[Query]:
    """One photo a query; right is the photo's NDC11."""

    def make() -> list[Query]:
        queries = []
        for photo in tqdm(photos, desc="consumer photos", disable=None):
            found = cutter.one_pill(photo.path)
            queries.append(Query(photo.number, [] if found is None else [found], frozenset({photo.ndc11})))
        return queries

    numbers = ",".join(photo.number for photo in photos)
    return kept(f"consumer-{fingerprint(cutter.version, numbers)}", make)


def hospital_queries(cutter: Cutter, data: Path) -> list[Query]:
    """Both faces of a pill from one hospital photo; right are the TFDA items with its photo."""
    with (data / "tw_hospital" / "pairs.csv").open(encoding="utf-8") as handle:
        rows = list(csv.DictReader(handle))

    def make() -> list[Query]:
        return [
            Query(
                row["code"],
                cutter.two_faces(data / "tw_hospital" / "img" / row["file"]),
                frozenset(f"tw-tfda:{i}" for i in {row["tfda_id"], *row["tfda_same_photo_ids"].split("|")} if i),
            )
            for row in tqdm(rows, desc="hospital photos", disable=None)
        ]

    return kept(f"hospital-bare-{cutter.version}", make)


def named_pills(cutter: Cutter, folder: Path) -> list[Query]:
    """Every named box of a COCO folder (`detect/mypillbox_*`); right is the pill's name."""

    def make() -> list[Query]:
        coco = json.loads((folder / "coco.json").read_text(encoding="utf-8"))
        files = {image["id"]: folder / image["file_name"] for image in coco["images"]}
        queries = []
        for note in tqdm(coco["annotations"], desc=folder.name, disable=None):
            found = cutter.boxed(read_rgb(files[note["image_id"]]), note["bbox"])
            queries.append(Query(str(note["id"]), [] if found is None else [found], frozenset({note["pill"]})))
        return queries

    return kept(f"{folder.name}-{cutter.version}", make)


def kept(name: str, make: Callable[[], list[Query]]) -> list[Query]:
    """What `make` returned the first time, read back from `runs/retrieval/NAME.npz`."""
    path = KEPT / f"{name}.npz"
    if not path.is_file():
        queries = make()
        path.parent.mkdir(parents=True, exist_ok=True)
        faces = [cutout for query in queries for cutout in query.cutouts]
        facts = [(query.name, len(query.cutouts), sorted(query.right)) for query in queries]
        stacked = np.stack(faces) if faces else np.zeros((0, CUTOUT_SIZE, CUTOUT_SIZE, 4), np.uint8)
        aside = path.with_suffix(".part.npz")
        np.savez_compressed(aside, faces=stacked, facts=np.array(json.dumps(facts)))
        aside.replace(path)
    with np.load(path) as archive:
        faces, facts = list(archive["faces"]), json.loads(str(archive["facts"]))
    queries = []
    for query, count, right in facts:
        queries.append(Query(query, faces[:count], frozenset(right)))
        faces = faces[count:]
    return queries
