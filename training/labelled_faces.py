"""Real faces with labels that nobody wrote, whole: the lines that two teachers could label, and what stays unknown.

A pill's tokens are known for both sides together. Where the labelled lines of both faces hold them all, nothing else
is written on either, and the rest of both is known to be empty; elsewhere it may hold what no teacher read.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.imprint_text import fold
from runners.ocr import Reader
from training.face_views import Face, FaceLine
from training.real_lines import LabelledLine, ReadFace, label

UInt8 = NDArray[np.uint8]
Float32 = NDArray[np.float32]

UPRIGHT_WITHIN = 25
"""Degrees within which two teachers agree about which way is up."""


class OwnTeacher:
    """The shipped reader as a teacher: it has learned from what the first one could label, and reads more."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def find(self, picture: UInt8) -> list[Float32]:
        """See `Reader.find`."""
        return [line.corners for line in self._reader.find(picture)]

    def read_lines(self, lines: Sequence[UInt8]) -> list[tuple[str, float]]:
        """Text and chance that it is right of each (h, w, 3) line."""
        said = self._reader.recognizer.read([line[..., 0] for line in lines])
        return [(each.text, self._reader.recognizer.confidence(each)) for each in said]


def labelled_faces(readings: Iterable[Sequence[ReadFace]]) -> list[Face]:
    """`readings`: of each teacher, the same faces in the same order; faces of one pill share its name.

    Left out are faces about which nothing is known."""
    pills: dict[str, list[tuple[ReadFace, list[FaceLine]]]] = defaultdict(list)
    for same in zip(*readings, strict=True):
        pills[same[0].pill].append((same[0], _lines(same)))
    faces = []
    for sides in pills.values():
        wanted = Counter(fold("".join(sides[0][0].tokens)))
        found = Counter(fold("".join(line.text or "" for _, lines in sides for line in lines)).replace(" ", ""))
        complete = found == wanted and len(sides) == 2
        faces += [Face(face.picture, tuple(lines), complete) for face, lines in sides if complete or _texts(lines)]
    return faces


def _texts(lines: Sequence[FaceLine]) -> list[str]:
    return [line.text for line in lines if line.text]


def _lines(same: Sequence[ReadFace]) -> list[FaceLine]:
    """The labelled lines of a face, each once, and around what else was found a line of unknown text."""
    labelled: list[LabelledLine] = []
    for face in same:
        for line in label(face):
            if line.text and all(_apart(line.corners, other.corners) for other in labelled):
                labelled.append(line)
    if labelled and any(abs(_turn(line) - _turn(labelled[0])) > UPRIGHT_WITHIN for line in labelled):
        labelled = []
    lines = [FaceLine(line.corners, line.text) for line in labelled]
    for face in same:
        seen = set()
        for found in face.lines:
            if found.quad in seen:
                continue
            seen.add(found.quad)
            if all(_apart(found.corners, other.corners) for other in lines):
                lines.append(FaceLine(found.corners, None))
    return lines


def _turn(line: LabelledLine) -> float:
    along = line.corners[1] - line.corners[0]
    return float(np.degrees(np.arctan2(along[1], along[0])))


def _apart(one: Float32, other: Float32) -> bool:
    """Whether neither box holds the other's middle."""
    return not any(
        (a.min(axis=0) <= b.mean(axis=0)).all() and (b.mean(axis=0) <= a.max(axis=0)).all()
        for a, b in ((one, other), (other, one))
    )
