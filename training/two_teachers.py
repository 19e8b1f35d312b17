"""Real faces as two teachers read them, PP-OCRv6 small and the shipped reader, and the lines that one could label."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from runners.ocr import Reader
from training.imprint_pills import imprint_pills
from training.labelled_faces import OwnTeacher
from training.ppocr_small import PpocrSmall
from training.real_lines import LabelledLine, ReadFace, label, read_cutouts, read_faces
from training.tfda_imprints import tfda_cutouts

NEAR: Final = 0.5
"""Two boxes whose corners are this near, in heights of a line, hold one line in one direction."""


def readings(data: Path, tfda_pills: int, folder: Path) -> dict[str, list[list[ReadFace]]]:
    """By source, "nih" and "tfda", the faces of training and tuning pills as each teacher reads them, in one order.

    What they read is kept in `folder` for the next time.
    """
    folder.mkdir(parents=True, exist_ok=True)
    pills = [pill for pill in imprint_pills(data) if pill.part in ("train", "tuning")]
    read: dict[str, list[list[ReadFace]]] = {"nih": [], "tfda": []}
    for name, teacher in (("ppocr", PpocrSmall()), ("own", OwnTeacher(Reader.open(None)))):
        read["nih"].append(read_faces(pills, folder / f"nih-{name}.pkl", teacher))
        if tfda_pills:
            cut_outs = tfda_cutouts(data, tfda_pills)
            read["tfda"].append(read_cutouts(cut_outs, folder / f"tfda-{tfda_pills}-{name}.pkl", teacher))
    return read


def labelled_lines(readings: Sequence[Sequence[ReadFace]], part: str) -> list[LabelledLine]:
    """The lines that at least one teacher labels, each once; those they label differently are left out."""
    lines = []
    for same in zip(*readings, strict=True):
        if same[0].part != part:
            continue
        kept: list[LabelledLine] = []
        doubtful = set[int]()
        for line in (line for face in same for line in label(face)):
            twin = next((n for n, other in enumerate(kept) if _one_line(line, other)), None)
            if twin is None:
                kept.append(line)
            elif kept[twin].text != line.text:
                doubtful.add(twin)
        lines += [line for n, line in enumerate(kept) if n not in doubtful]
    return lines


def _one_line(one: LabelledLine, other: LabelledLine) -> bool:
    height = float(np.linalg.norm(one.corners[3] - one.corners[0]))
    return float(np.abs(one.corners - other.corners).max()) < NEAR * max(height, 1.0)
