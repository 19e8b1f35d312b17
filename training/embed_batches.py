"""What the embedder trains on once it knows the NIH sides: batches of views of every catalogue's faces and of photos.

Classes are the faces of the index; those that show the same thing share one. Further classes are real photos of pills
that no catalogue shows (`training.real_crops`).
"""

from collections import defaultdict
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from runners.background import BackgroundRemover
from training.gallery_faces import Float32, GalleryFaces
from training.real_crops import RealCrop
from training.step_batches import StepBatches
from training.views import ConsumerViews

Int64 = NDArray[np.int64]
UInt8 = NDArray[np.uint8]

CATALOGS: Final = ("us-nih", "tw-tfda")
SAME_ITEM: Final = 0.8
"""Cosine from which faces in two photos of one item are the same side of it."""


def joined(faces: GalleryFaces, imprints: dict[str, str], vectors: Float32, above: float) -> Int64:
    """(n,) class of every face: faces of one catalogue share it that look the same and carry the same imprint.

    Two photos of one item are joined side by side; faces of two items when their cosine is at least `above` and both
    items' imprint is the same, none included.

    Args:
        imprints: what each item id carries, as one text; "" = nothing is known.
        vectors: (n, D) unit length, of the embedder as it is.
    """
    parent = np.arange(len(faces.catalog))

    def root(row: int) -> int:
        while parent[row] != row:
            parent[row] = parent[parent[row]]
            row = int(parent[row])
        return row

    by_item: dict[str, list[int]] = defaultdict(list)
    by_imprint: dict[tuple[str, str], list[int]] = defaultdict(list)
    for row, items in enumerate(faces.items):
        for item in items:
            by_item[item].append(row)
        by_imprint[faces.catalog[row], min(imprints.get(item, "") for item in items)].append(row)
    for rows in by_item.values():
        if len(rows) > 2:
            cosine = np.triu(vectors[rows] @ vectors[rows].T, 2)
            for a, b in np.argwhere(cosine >= SAME_ITEM):
                parent[root(rows[a])] = root(rows[b])
    for rows in by_imprint.values():
        if len(rows) > 1:
            for start in range(0, len(rows), 1024):
                near = vectors[rows[start : start + 1024]] @ vectors[rows].T >= above
                for a, b in np.argwhere(near):
                    if a + start < b and not set(faces.items[rows[a + start]]) & set(faces.items[rows[b]]):
                        parent[root(rows[a + start])] = root(rows[b])
    roots = np.array([root(row) for row in range(len(parent))])
    return np.asarray(np.unique(roots, return_inverse=True)[1], np.int64)


class Batches(StepBatches):
    """Batches of views of the gallery's faces and of real photos.

    Args:
        classes: (n,) of each gallery face.
        real: photos; their classes follow the gallery's.
        config: `batch`, `real_share`, `exact_share`, `taiwan_share`, `size`, `steps`, `seed`, `lamps`.
        first: step to begin with.
    """

    def __init__(
        self, faces: GalleryFaces, classes: Int64, real: list[RealCrop], data: Path, config: dict[str, Any], *,
        first: int,
    ) -> None:  # fmt: skip
        super().__init__(config, first)
        self.faces, self.classes, self.real = faces, classes, real
        names = {name: number for number, name in enumerate(dict.fromkeys(crop.name for crop in real))}
        self.real_classes = np.array([names[crop.name] for crop in real], np.int64) + classes.max() + 1
        self.rows = {name: np.flatnonzero(np.array(faces.catalog) == name) for name in CATALOGS}
        by_kind = {
            kind: np.flatnonzero([crop.kind == kind for crop in real]) for kind in ("consumer", "named", "unnamed")
        }
        self.kinds = [rows for rows in by_kind.values() if len(rows)]
        self.maker = ConsumerViews(
            data, size=config["size"], pool=250, seed=config["seed"], lamps=config["lamps"], remover=self._remove
        )
        self._remover: BackgroundRemover | None = None

    def _remove(self, crops: UInt8) -> UInt8:
        if self._remover is None:  # opened in the process that uses it
            self._remover = BackgroundRemover.open(None)
        return self._remover.mask(crops)

    def batch(self, step: int) -> tuple[Tensor, Tensor]:
        """(batch, 3, S, S) uint8 and (batch,) int64 class numbers of one step."""
        rng = np.random.default_rng((self.config["seed"], step))
        count, size = self.config["batch"], self.config["size"]
        labels, images = np.empty(count, np.int64), np.empty((count, size, size, 3), np.uint8)
        for place in range(count):
            if rng.random() < self.config["real_share"]:
                rows = self.kinds[rng.integers(len(self.kinds))]
                row = int(rng.choice(rows))
                labels[place] = self.real_classes[row]
                images[place] = self.maker.again(self.real[row].rgba, rng)[..., :3]
            else:
                catalog = CATALOGS[int(rng.random() < self.config["taiwan_share"])]
                row = int(rng.choice(self.rows[catalog]))
                labels[place] = self.classes[row]
                if rng.random() < self.config["exact_share"]:
                    images[place] = self.faces.exact[row]
                else:
                    images[place] = self.maker.view(np.array(self.faces.rgba[row]), rng)[..., :3]
            # long pills have two upright poses, round ones four that the runner tries; learn them all as one
            images[place] = np.rot90(images[place], 2 * rng.integers(2))
        return torch.from_numpy(images).permute(0, 3, 1, 2), torch.from_numpy(labels)
