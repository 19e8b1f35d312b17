"""Faces with known imprints to measure a reader on, cut out once for all readers: NIH, consumer, hospital, rendered."""

import asyncio
import csv
import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import yaml
from numpy.typing import NDArray

from index.faces import cut_isolated, find_faces
from pipeline.cutout import crop_around, cut_out
from pipeline.imprint_text import normalise
from pipeline.schemas import CatalogItem
from runners.background import BackgroundRemover
from runners.detector import Detector
from runners.local import load_local_runners
from training.consumer import ConsumerPhoto, load_photos
from training.cutouts import read_rgb
from training.imprint_pills import SEED, Part, imprint_pills
from training.insets import bare
from training.renderer import render_pill
from training.rendering.look import Block, Face, look_of
from training.rendering.typeface import installed
from training.signs import catalogue_words, kept_out

UInt8 = NDArray[np.uint8]

READER_CONFIG: Final = Path(__file__).parent.parent / "configs" / "reader.yaml"
RENDERED: Final = 60
RIM_LETTERS: Final = 5
HOSPITAL: Final = 60
"""Photos drawn with a fixed seed: finding the two faces on one takes most of a second."""


@dataclass(frozen=True, slots=True, eq=False)
class Pill:
    """One pill. `faces`: (384, 384, 4) cut-outs; `tokens`: of all its sides; `group`: its appearance, "" = none."""

    faces: tuple[UInt8, ...]
    tokens: tuple[str, ...]
    group: str = ""


def nih(data: Path, part: Part) -> list[Pill]:
    """Both sides of the pills of one part, as reference photos show them."""
    return [
        Pill(tuple(cut for crop in pill.crops for cut in cut_isolated(read_rgb(crop))), pill.tokens, pill.group)
        for pill in imprint_pills(data)
        if pill.part == part
    ]


def consumer(data: Path, models_dir: Path | None) -> list[Pill]:
    """Consumer photos with a stated imprint, cut out as the service does; without a face where no pill is found."""
    detector, remover = Detector.open(models_dir), BackgroundRemover.open(models_dir)
    with (data / "catalogs" / "us_nih.csv").open(encoding="utf-8") as handle:
        groups = {row["appearance_id"]: row["appearance_group"] for row in csv.DictReader(handle)}
    known, unknown = load_photos(data)
    return [
        Pill(tuple(_largest_pill(photo, detector, remover)), tokens, groups.get(photo.appearance, ""))
        for photo in (*known, *unknown)
        if (tokens := normalise(photo.imprint))
    ]


def _largest_pill(photo: ConsumerPhoto, detector: Detector, remover: BackgroundRemover) -> Iterator[UInt8]:
    image = read_rgb(photo.path)
    boxes = detector.detect(image)
    if not len(boxes):
        return
    x1, y1, x2, y2 = (float(edge) for edge in boxes[0, :4])
    crop = crop_around(image, (x1, y1, x2, y2))
    mask = remover.mask(crop.pixels[None])[0]
    if mask.any():
        yield cut_out(crop.pixels, mask)


def hospital(data: Path, models_dir: Path | None) -> list[Pill]:
    """Photos of a hospital's formulary: the bare pill's two faces, in the inset where boxes and blisters have one."""
    runners = load_local_runners(models_dir)
    with (data / "tw_hospital" / "ocr.csv").open(encoding="utf-8") as handle:
        rows = [row for row in csv.DictReader(handle) if normalise(f"{row['imprint_front']} {row['imprint_back']}")]
    pills = []
    for row in random.Random(SEED).sample(rows, min(HOSPITAL, len(rows))):
        photo = bare(read_rgb(data / "tw_hospital" / "img" / row["file"]))
        found = asyncio.run(find_faces(photo, runners.detector, runners.background, 2))
        tokens = normalise(f"{row['imprint_front']} {row['imprint_back']}")
        pills.append(Pill(tuple(face.cut_out(photo) for face in found), tokens))
    return pills


def rendered(data: Path, script: str, *, rim: bool = False) -> list[Pill]:
    """One face each, with a word that the recogniser was not trained on; Hangul in fonts it was not trained on.

    `rim`: words of five letters and more, bent along the rim of a round tablet.
    """
    words = catalogue_words(data)
    config = yaml.safe_load(READER_CONFIG.read_text(encoding="utf-8"))
    fonts = installed(tuple(config["kept_out_fonts"])) if script == "hangul" else None
    if script == "hangul" and not fonts:
        return []
    unseen = [word for word in (words.hangul if script == "hangul" else words.latin[:4000]) if kept_out(word)]
    unseen = [word for word in unseen if len(word) >= RIM_LETTERS] if rim else unseen
    pills = []
    for number, word in enumerate((unseen * RENDERED)[:RENDERED]):
        rng = np.random.default_rng((17, number))
        item = CatalogItem(
            item_id="r:1", catalog="r", name="r", imprint_front=word, imprint_back="", form="tablet",
            shape="round" if rim else str(rng.choice(["round", "oval", "oblong"])),
            colors=[str(rng.choice(["white", "yellow", "pink", "blue"]))],
            score_line=str(rng.choice(["none", "none", "line"])),
        )  # fmt: skip
        look = look_of(item, rng, fonts)
        if rim:
            look = replace(look, rim_text=True, front=Face((Block((word,)),), look.front.score_line))
        rgba = render_pill(look, "front", 384, rng)
        turned = np.ascontiguousarray(np.rot90(rgba, int(rng.integers(4))))
        pills.append(Pill((cut_out(turned[..., :3], turned[..., 3]),), normalise(word)))
    return pills
