"""Sides of pills with what is known of their looks: NIH crops, and pills drawn from Korean catalogue rows."""

import csv
import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from index.importers import kr_mfds, us_nih
from index.importers.rows import ItemRow
from pipeline.schemas import CatalogItem
from training.attribute_labels import agreed, by_eye, put, put_colors, put_imprinted, unknown
from training.cutouts import load_nih_crops
from training.renderer import render_pill
from training.rendering.look import PillLook, look_of

UInt8 = NDArray[np.uint8]
Float32 = NDArray[np.float32]
Part = Literal["train", "calibration", "held_out"]

HELD_OUT_PERCENT: Final = 12
CALIBRATION_PERCENT: Final = 5
RENDER_SIZE: Final = 224
NOT_LETTERS: Final = re.compile("십자분할선|분할선|마크")
"""What the Korean list writes into an imprint where a score line or a logo is."""


@dataclass(frozen=True, slots=True)
class LabelledFace:
    """One side of one pill. `rgba`: (H, W, 4) exact cut-out; `labels`: see `training.attribute_labels`."""

    rgba: UInt8
    labels: Float32
    name: str
    group: str  # its look: one group is never both trained on and tested on


def part_of(group: str, always_held_out: frozenset[str] = frozenset()) -> Part:
    """Which part a group of looks belongs to: a fixed draw by its hash."""
    draw = int.from_bytes(hashlib.sha256(group.encode()).digest()[:4], "big") % 100
    if group in always_held_out or draw < HELD_OUT_PERCENT:
        return "held_out"
    return "calibration" if draw < HELD_OUT_PERCENT + CALIBRATION_PERCENT else "train"


def consumer_groups(data: Path) -> frozenset[str]:
    """Groups of looks that real consumer photos show: never trained on."""
    groups = {}
    for row in _table(data / "catalogs" / "us_nih.csv"):
        for file in (row["crop_front"], row["crop_back"]):
            groups[file] = row["appearance_group"]
    shown = (
        file for row in _table(data / "nih" / "consumer" / "consumer.csv") for file in row["gallery_crops"].split("|")
    )
    return frozenset(groups[file] for file in shown if file in groups)


def _table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8") as handle:
        return list(csv.DictReader(handle))


def item_labels(item: ItemRow, *, coarse: bool) -> Float32:
    """What a catalogue row says of both sides alike: colours, shape, form; `coarse`: see `put_colors`."""
    row = unknown()
    put_colors(row, item.colors_front, coarse=coarse)
    put(row, "shape", item.shapes)
    put(row, "form", [item.form] if item.form else [])
    if item.form in ("hard capsule", "soft capsule"):
        put(row, "score_line", ["none"])
    return row


def nih_faces(data: Path) -> list[LabelledFace]:
    """All NIH crops; labels that the items sharing a crop do not agree on are unknown."""
    items = us_nih.load(data / "catalogs" / "us_nih.csv").items
    rows: dict[str, list[Float32]] = defaultdict(list)
    groups: dict[str, str] = {}
    for item in items:
        for photo in item.photos:
            rows[photo.file].append(item_labels(item, coarse=True))
            groups[photo.file] = item.appearance or item.key
    seen = by_eye()
    faces = []
    for pill in load_nih_crops(data):
        labels = agreed(rows[pill.file]) if rows[pill.file] else unknown()
        imprinted, score_line = seen.get(pill.file, (None, None))
        if imprinted is not None:
            put_imprinted(labels, imprinted)
        put(labels, "score_line", [score_line] if score_line else [])
        faces.append(LabelledFace(pill.rgba, labels, pill.file, groups.get(pill.file, pill.appearance)))
    return faces


class DrawnFaces:
    """Pills drawn from Korean catalogue rows, rare shapes, colours and score lines more often than they occur.

    Args:
        data: folder with catalogs/.
    """

    def __init__(self, data: Path) -> None:
        items = kr_mfds.load(data / "catalogs" / "kr_mfds.csv.gz").items
        self.items = [item for item in items if item.form and item.shapes and item.colors_front]
        self.weights = _rarity(self.items)

    def face(self, rng: np.random.Generator) -> LabelledFace:
        """One side of one pill, straight from above."""
        item = self.items[rng.choice(len(self.items), p=self.weights)]
        drawn = as_catalog_item(item, rng)
        look = look_of(drawn, rng)
        side: Literal["front", "back"] = "front" if rng.random() < 0.5 else "back"
        rgba = render_pill(look, side, RENDER_SIZE, rng)
        rgba[..., 3] = np.where(rgba[..., 3] > 127, 255, 0)
        rgba[..., :3] *= rgba[..., 3:] > 0
        return LabelledFace(rgba, drawn_labels(drawn, look, side), item.key, item.key)


def drawn_labels(item: CatalogItem, look: PillLook, side: Literal["front", "back"]) -> Float32:
    """Everything about one side of a drawn pill: here nothing is unknown."""
    row = unknown()
    colors = item.colors[:2]
    if len(colors) == 2 and look.split == "faces" and look.form != "hard capsule":
        colors = colors[1:] if side == "back" else colors[:1]
    put_colors(row, colors, coarse=False)
    put(row, "shape", [look.shape])
    put(row, "form", [look.form])
    face = look.front if side == "front" else look.back
    put(row, "score_line", [face.score_line])
    put_imprinted(row, bool(face.blocks))
    return row


def as_catalog_item(item: ItemRow, rng: np.random.Generator) -> CatalogItem:
    """The row as the renderer takes it; every fourth side is left blank, as many real ones are."""
    first = item.imprints[0] if item.imprints else None
    front, back = (NOT_LETTERS.sub(" ", text or "") for text in ((first.front, first.back) if first else ("", "")))
    return CatalogItem(
        item_id=item.key, catalog="kr-mfds", name=item.name, form=item.form, shape=item.shapes[0],
        imprint_front="" if rng.random() < 0.25 else front, imprint_back="" if rng.random() < 0.25 else back,
        colors=list(item.colors_front[:2]), score_line=item.score_line, length_mm=item.length_mm,
        width_mm=item.width_mm,
    )  # fmt: skip


def _rarity(items: Sequence[ItemRow]) -> NDArray[np.float64]:
    """Chance of each item: falls with the root of how often its shape, rarest colour, score line and form occur."""
    counts: Counter[tuple[str, str]] = Counter()
    for item in items:
        counts.update(_features(item))
    weights = np.array([np.prod([counts[f] ** -0.5 for f in (_features(item))]) for item in items])
    return np.asarray(weights / weights.sum(), np.float64)


def _features(item: ItemRow) -> list[tuple[str, str]]:
    return [("shape", item.shapes[0]), ("form", item.form or ""), ("score", item.score_line or ""),
            *(("color", color) for color in dict.fromkeys(item.colors_front[:2]))]  # fmt: skip


def balanced(faces: Sequence[LabelledFace]) -> NDArray[np.float64]:
    """Chance of each real face: the rarer its rarest label, the more often it is shown (square root of rarity)."""
    labels = np.stack([face.labels for face in faces])
    counts = np.maximum(np.nansum(labels, axis=0), 1.0)
    weights = np.array([max((counts[i] ** -0.5 for i in np.flatnonzero(row == 1)), default=0.0) for row in labels])
    return np.asarray(weights / weights.sum(), np.float64)
