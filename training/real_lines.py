"""Lines on real faces with labels that nobody wrote: an imprint's tokens are known, not where they stand.

A reader reads every line in every direction; where what it reads is a token of that pill (or nearly), the line gets
the token as its label, and the same line turned round gets none. Faces on which nothing fits are left out.
"""

import pickle
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path
from typing import Final, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import Levenshtein
from tqdm import tqdm

from index.faces import cut_isolated
from pipeline.imprint_text import fold, normalise
from runners.ocr_lines import directions
from runners.ocr_relief import relief
from training.cutouts import read_rgb
from training.imprint_pills import ImprintPill, Part
from training.reader_net import HEIGHT
from training.signs import TURNS_INTO_ITSELF, has_a_top

UInt8 = NDArray[np.uint8]
Float32 = NDArray[np.float32]

SURE: Final = 0.5
"""Confidence of the teacher from which a reading that fits counts."""
UPRIGHT_WITHIN: Final = 25
"""Degrees within which lines of one face share a direction."""


class Teacher(Protocol):
    """Finds the lines of a relief and reads them."""

    def find(self, picture: UInt8) -> list[Float32]:
        """Corners of each line."""

    def read_lines(self, lines: Sequence[UInt8]) -> list[tuple[str, float]]:
        """Text and confidence of each (h, w, 3) line."""


@dataclass(frozen=True, slots=True, eq=False)
class FoundLine:
    """A line in one direction. `corners`: (4, 2) px of the relief, from where the text, so read, begins."""

    corners: Float32
    rotation: int
    quad: int  # which line of the face
    text: str
    confidence: float


@dataclass(frozen=True, slots=True, eq=False)
class ReadFace:
    """A face as the teacher saw it. `picture`: (S, S) uint8 relief."""

    pill: str
    tokens: tuple[str, ...]
    part: Part
    picture: UInt8
    lines: tuple[FoundLine, ...]


@dataclass(frozen=True, slots=True, eq=False)
class LabelledLine:
    """`text` "" = nothing to be read in this direction."""

    picture: UInt8
    corners: Float32
    text: str
    pill: str


def read_face(teacher: Teacher, picture: UInt8, pill: ImprintPill) -> ReadFace:
    """Everything the teacher finds on a relief (S, S, 3)."""
    found = []
    for number, quad in enumerate(teacher.find(picture)):
        lines = directions(picture, quad)
        for line, (text, confidence) in zip(lines, teacher.read_lines([each.pixels for each in lines]), strict=True):
            corners = np.roll(quad, -line.quarter, axis=0)
            found.append(FoundLine(corners, line.rotation, number, text, confidence))
    return ReadFace(pill.appearance, pill.tokens, pill.part, picture[..., 0].copy(), tuple(found))


def read_faces(pills: Iterable[ImprintPill], path: Path, teacher: Teacher) -> list[ReadFace]:
    """All faces of `pills` but those held out, as the teacher reads them; kept in `path` for the next time."""

    def cut_outs() -> Iterator[tuple[UInt8, ImprintPill]]:
        for pill in pills:
            if pill.part != "held-out":
                for crop in pill.crops:
                    yield from ((cut, pill) for cut in cut_isolated(read_rgb(crop)))

    return read_cutouts(cut_outs(), path, teacher)


def read_cutouts(cut_outs: Iterable[tuple[UInt8, ImprintPill]], path: Path, teacher: Teacher) -> list[ReadFace]:
    """Faces, (S, S, 4) uint8 RGBA, as the teacher reads them; kept in `path` for the next time."""
    if path.is_file():
        faces: list[ReadFace] = pickle.loads(path.read_bytes())  # noqa: S301  # our own file
        return faces
    faces = [read_face(teacher, relief(cut), pill) for cut, pill in tqdm(cut_outs, path.stem, mininterval=10)]
    aside = path.with_suffix(".part")
    aside.write_bytes(pickle.dumps(faces))
    aside.replace(path)
    return faces


def cut_line(picture: UInt8, corners: Float32, size: tuple[int, int]) -> UInt8:
    """The quadrilateral `corners` (4, 2) of a picture, flat; `size`: (w, h) px."""
    target = np.array([[0, 0], [size[0], 0], [size[0], size[1]], [0, size[1]]], np.float32)
    matrix = cv2.getPerspectiveTransform(corners.astype(np.float32), target)
    flat = cv2.warpPerspective(picture, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(flat, np.uint8)


def wanted_texts(tokens: Sequence[str]) -> dict[str, str]:
    """What a line of this pill may say: one token, or two or three in any order; folded -> as written."""
    texts = {}
    for count in (1, 2, 3):
        for run in permutations(tokens[:6], count):
            texts.setdefault(fold("".join(run)), " ".join(run))
    return texts


def label(face: ReadFace) -> list[LabelledLine]:
    """The lines of a face whose text is beyond reasonable doubt."""
    wanted = wanted_texts(face.tokens)
    fits: dict[int, str] = {}
    for number, line in enumerate(face.lines):
        text = _fitting("".join(normalise(line.text)), wanted) if line.confidence >= SURE else None
        if text:
            fits[number] = text
    upright = _upright(face, fits)
    if upright is None:
        return []
    lines = []
    for number, line in enumerate(face.lines):
        turned = abs((line.rotation - upright + 180) % 360 - 180)
        if turned <= UPRIGHT_WITHIN and number in fits:
            lines.append(LabelledLine(face.picture, line.corners, fits[number], face.pill))
        elif turned > 180 - UPRIGHT_WITHIN:
            opposite = [n for n, other in enumerate(face.lines) if other.quad == line.quad and n in fits]
            if any(has_a_top(fits[n]) for n in opposite if abs(face.lines[n].rotation - upright) <= UPRIGHT_WITHIN):
                lines.append(LabelledLine(face.picture, line.corners, "", face.pill))
    return lines


def _fitting(text: str, wanted: dict[str, str]) -> str | None:
    folded = fold(text)
    if not folded:
        return None
    if folded in wanted:
        return wanted[folded]
    if len(folded) < 4:
        return None
    near = [w for w in wanted if len(w) >= 4 and Levenshtein.distance(folded, w, score_cutoff=1) <= 1]
    return wanted[near[0]] if len(near) == 1 else None


def _upright(face: ReadFace, fits: dict[int, str]) -> int | None:
    """The direction most letters were read in, if one clearly is."""
    weights: dict[int, float] = {}
    for number, text in fits.items():
        line = face.lines[number]
        key = next((r for r in weights if abs((r - line.rotation + 180) % 360 - 180) <= UPRIGHT_WITHIN), line.rotation)
        weight = line.confidence * sum(1.0 if letter not in TURNS_INTO_ITSELF else 0.4 for letter in text)
        weights[key] = weights.get(key, 0) + weight
    if not weights:
        return None
    best = max(weights, key=lambda key: weights[key])
    rest = max((weight for key, weight in weights.items() if key != best), default=0.0)
    return best if weights[best] > 1.5 * rest else None


def view(line: LabelledLine, rng: np.random.Generator) -> UInt8:
    """The line as another detector and another lamp might have shown it: (48, w) uint8."""
    corners = line.corners
    across, down = corners[1] - corners[0], corners[3] - corners[0]
    width, height = float(np.linalg.norm(across)), float(np.linalg.norm(down))
    across, down = across / max(width, 1), down / max(height, 1)
    edge = rng.normal(0.03, 0.05, 8).reshape(4, 2) * height
    signs = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]])
    common = rng.normal(0, 0.04, 2) * height
    moved = (
        corners + (signs[:, :1] * edge[:, :1] + common[0]) * across + (signs[:, 1:] * edge[:, 1:] + common[1]) * down
    )
    stretch = float(np.exp(rng.normal(0, 0.12)))
    size = (max(16, round(width / max(height, 1) * HEIGHT * stretch)), HEIGHT)
    image = cut_line(line.picture, moved, size)
    shown = image.astype(np.float32) - 128
    if rng.random() < 0.25:
        shown = -shown  # the lamp on the other side, or pale ink for dark
    loss = float(rng.choice([1.0, 1.0, rng.uniform(1.3, 2.5)]))
    if loss > 1:
        small = cv2.resize(shown, (max(4, round(size[0] / loss)), round(HEIGHT / loss)), interpolation=cv2.INTER_AREA)
        shown = cv2.resize(small, size, interpolation=cv2.INTER_LINEAR)
    elif rng.random() < 0.3:
        shown = cv2.GaussianBlur(shown, (0, 0), float(rng.uniform(0.4, 1.4)))
    shown = shown * float(np.exp(rng.normal(0, 0.25)))
    if rng.random() < 0.4:
        grain = cv2.GaussianBlur(
            rng.standard_normal(shown.shape, dtype=np.float32), (0, 0), float(rng.uniform(0.5, 1.6))
        )
        shown = shown + grain / max(float(grain.std()), 1e-6) * float(rng.uniform(2, 14))
    return np.clip(shown + 128, 0, 255).astype(np.uint8)
