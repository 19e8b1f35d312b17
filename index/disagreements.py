"""Where a reference photo contradicts the table: tables hold errors, and one photo can stand for two pills.

Listed is an item only when words were read surely that the stated imprint does not hold, while a word it does hold was
not read on any of its photos.
"""

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Final

from rapidfuzz.distance import Levenshtein

from index.importers.rows import ItemRow
from index.photos import FaceFacts
from pipeline.imprint_text import fold, normalise
from pipeline.schemas import Reading
from pipeline.transcript import transcript

SURE: Final = 0.8
"""Nine readings of ten reach no more than .9."""
LETTERS: Final = 2
"""Shorter words are read anywhere."""


@dataclass(frozen=True, slots=True)
class Disagreement:
    """`stated`: the table's words; `read`: those of all photos; `confidence`: of the surest word that is not stated."""

    item: str
    stated: str
    read: str
    confidence: float


def disagreement(item: str, stated: Sequence[str], faces: Iterable[Sequence[Reading]]) -> Disagreement | None:
    """Of one item, or None. `stated`: tokens of both sides."""
    said = [line for readings in faces for line in transcript(readings).lines]
    wanted = [fold(token) for token in stated]
    strange = [line for line in said if line.confidence >= SURE and not _is_stated(line.text, wanted)]
    read = "".join(fold("".join(normalise(line.text))) for line in said)
    missing = [token for token in wanted if len(token) >= LETTERS and token not in read]
    if not strange or not missing:
        return None
    surest = max(line.confidence for line in strange)
    return Disagreement(item, " ".join(stated), " ".join(line.text for line in said), round(surest, 3))


def _is_stated(text: str, wanted: Sequence[str]) -> bool:
    """Whether a line could be part of the stated imprint, one letter read wrongly."""
    word = fold("".join(normalise(text)))
    if len(word) < LETTERS:
        return True
    whole = ["".join(wanted), "".join(reversed(wanted)), *wanted]
    return any(word in other or Levenshtein.distance(word, other) <= 1 for other in whole)


def disagreements(
    items: Iterable[tuple[str, ItemRow]], photos: Path, facts: Mapping[Path, Sequence[FaceFacts]]
) -> list[Disagreement]:
    """All of a catalogue. `items`: with their ids; `photos`: folder of their photos."""
    found = []
    for name, item in items:
        faces = [face.readings or [] for photo in item.photos for face in facts.get(photos / photo.file, [])]
        for version in item.imprints[:1]:
            stated = normalise(f"{version.front or ''} {version.back or ''}")
            if stated and any(faces) and (one := disagreement(name, stated, faces)) is not None:
                found.append(one)
    return found


def write(path: Path, found: Sequence[Disagreement]) -> None:
    """A CSV table, the surest first."""
    with path.open("w", newline="", encoding="utf-8") as handle:
        writer = csv.DictWriter(handle, [field.name for field in fields(Disagreement)])
        writer.writeheader()
        writer.writerows(asdict(one) for one in sorted(found, key=lambda one: -one.confidence))
