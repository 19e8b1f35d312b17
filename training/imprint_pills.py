"""NIH pills with a stated imprint, in parts by pill: what may train a reader, tune it, and what it is judged on."""

import csv
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from pipeline.imprint_text import normalise
from training.attribute_faces import consumer_groups

Part = Literal["train", "tuning", "held-out", "aside"]

HALF: Final = 150
SEED: Final = 7


@dataclass(frozen=True, slots=True)
class ImprintPill:
    """One appearance. `tokens` are of both sides, in the order of the source; which side each is on is not known."""

    appearance: str
    group: str  # pills that share a photo: equal ones never stand in two parts
    tokens: tuple[str, ...]
    crops: tuple[Path, Path]
    part: Part


def imprint_pills(data: Path) -> list[ImprintPill]:
    """Every appearance with a stated imprint and two photos, in a fixed random order.

    The first 150 are for tuning, the next 150 held out (as drawn since the first reader was measured), the rest
    trains, without what shares a photo with those or is the gallery's picture of a consumer photo: these stay "aside".
    """
    rows: dict[str, dict[str, str]] = {}
    with (data / "catalogs" / "us_nih.csv").open(encoding="utf-8") as handle:
        for row in csv.DictReader(handle):
            if row["imprint"] and row["crop_front"] and row["crop_back"]:
                rows.setdefault(row["appearance_id"], row)
    names = sorted(rows)
    random.Random(SEED).shuffle(names)
    judged = {rows[name]["appearance_group"] for name in names[: 2 * HALF]} | consumer_groups(data)

    def part(number: int, group: str) -> Part:
        if number < 2 * HALF:
            return "tuning" if number < HALF else "held-out"
        return "aside" if group in judged else "train"

    folder = data / "nih" / "crops"
    return [
        ImprintPill(
            name, row["appearance_group"], normalise(row["imprint"]),
            (folder / row["crop_front"], folder / row["crop_back"]), part(number, row["appearance_group"]),
        )
        for number, (name, row) in enumerate((name, rows[name]) for name in names)
    ]  # fmt: skip
