"""Real consumer photos of pills (NIH challenge) with what is on them: for tuning the ranking and for evaluation.

The development part only: the tuning set has 60 photos of pills that are in the gallery, none of whose labels
contradicts the photo; 137 more photos carry labels that the gallery lacks. 24 of those show a pill that the catalogues
do know under another label (repackagers, Taiwan): `configs/consumer_elsewhere.csv` names it, so that the right answer
is not counted as a wrong one.
"""

import csv
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pipeline.identify import Pipeline, Walk
from pipeline.photo import read_photo
from pipeline.ranking import SideEvidence

KINDS: Final = ("crop", "dc224", "asv")
"""Kinds with their own background, preferred first: as cropped by the app, as re-sized to 224 px, full frame."""
ELSEWHERE: Final = Path(__file__).parent.parent / "configs" / "consumer_elsewhere.csv"
"""Photos whose label the gallery lacks and whose pill it has: number, the pill's rows, what it was told by (all were
looked at beside the reference photo)."""


@dataclass(frozen=True, slots=True)
class ConsumerPhoto:
    """One photo and its truth."""

    path: Path
    number: str  # the same photo in several kinds has one number
    pill_group: str  # the unit of every split
    ndc11: str
    appearance: str  # appearance_id, "" when the gallery lacks the pill
    imprint: str


def load_photos(data: Path) -> tuple[list[ConsumerPhoto], list[ConsumerPhoto]]:
    """(photos of pills in the gallery without label conflict, photos of pills that the gallery lacks); one per number.

    Raises FileNotFoundError when `data` is not the data folder.
    """
    folder = data / "nih" / "consumer"
    with (folder / "consumer.csv").open(encoding="utf-8") as handle:
        rows = [row for row in csv.DictReader(handle) if row["kind"] in KINDS and row["real_background"] == "1"]
    rows.sort(key=lambda row: (int(row["nih_no"]), KINDS.index(row["kind"])))
    known: dict[str, ConsumerPhoto] = {}
    unknown: dict[str, ConsumerPhoto] = {}
    for row in rows:
        photo = ConsumerPhoto(
            folder / "img" / row["file"], row["nih_no"], row["pill_group"], row["ndc11"],
            row["appearance_id"] if row["gallery_crops"] else "", row["imprint"],
        )  # fmt: skip
        if not row["gallery_crops"]:
            unknown.setdefault(photo.number, photo)
        elif not row["label_check"].startswith("conflict"):
            known.setdefault(photo.number, photo)
    return list(known.values()), list(unknown.values())


def pairs(photos: list[ConsumerPhoto]) -> list[tuple[ConsumerPhoto, ConsumerPhoto]]:
    """Two photos of one pill each, as front and back; the sides are not known to differ."""
    by_pill: dict[str, list[ConsumerPhoto]] = defaultdict(list)
    for photo in photos:
        by_pill[photo.ndc11].append(photo)
    return [(group[0], group[1]) for group in by_pill.values() if len(group) > 1]


def truth(data: Path) -> dict[str, set[str]]:
    """appearance_id -> ids of all catalogue items that look so (joined by any shared reference photo)."""
    with (data / "catalogs" / "us_nih.csv").open(encoding="utf-8") as handle:
        rows = list(csv.DictReader(handle))
    by_group: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        by_group[row["appearance_group"]].add(f"us-nih:{row['ndc9']}")
    return {row["appearance_id"]: by_group[row["appearance_group"]] for row in rows}


def right_answers(data: Path) -> dict[str, set[str]]:
    """Photo number -> ids of all catalogue items that are right, those that look the same included.

    A photo that is not in there shows a pill that no catalogue knows, as far as we know.
    """
    by_appearance = truth(data)
    by_item = {item: group for group in by_appearance.values() for item in group}
    known, _ = load_photos(data)
    right = {photo.number: by_appearance[photo.appearance] for photo in known}
    with ELSEWHERE.open(encoding="utf-8") as handle:
        for row in csv.DictReader(handle):
            right[row["number"]] = set().union(*(by_item.get(i, {i}) for i in row["item_ids"].split("|")))
    return right


async def collect(pipeline: Pipeline, photos: Sequence[ConsumerPhoto]) -> dict[str, SideEvidence]:
    """Evidence of every photo in which a pill could be judged, by photo number."""
    found = {}
    for photo in photos:
        look = await pipeline.look(read_photo(photo.path.read_bytes()), Walk())
        if look.reason is None:
            found[photo.number] = look.evidence
    return found
