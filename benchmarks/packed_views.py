"""Pictures that embedders are trained and measured on, made once and kept packed as uint8 under runs/packed/.

Every comparison of losses, settings and backbones sees the same ones: the NIH sides as the index embeds them, views of
some of them, every turn of the consumer photos, real crops without a label, and drawn pills of the Korean list.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from index.importers import kr_mfds
from index.importers.rows import ItemRow
from runners.background import BackgroundRemover
from runners.embedder import turned
from training.appearance import bleed
from training.attribute_faces import as_catalog_item
from training.consumer import load_photos
from training.cutouts import PillImage, load_nih_crops
from training.embedder import exact_views
from training.real_crops import real_crops
from training.real_cutouts import Cutter, consumer_queries
from training.renderer import render_pill
from training.rendering.look import look_of
from training.views import ConsumerViews

UInt8 = NDArray[np.uint8]
Int64 = NDArray[np.int64]

SIZE: Final = 128
SIDES: Final = 2000
"""Sides that get views to train on; all 5,226 are searched."""
VIEWS: Final = 2
DRAWN: Final = 400
"""Korean items drawn, the side with the imprint of each."""
SEED: Final = 5
KEPT: Final = Path("runs") / "packed"


@dataclass(frozen=True, slots=True)
class Packed:
    """Pictures (..., SIZE, SIZE, 3) uint8 RGB on black, mapped where they are many."""

    references: UInt8  # (n, ...) of all sides
    sides: Int64  # (k,) which of them have views
    views: UInt8  # (VIEWS, k, ...)
    queries: UInt8  # (m, ...) every turn of every consumer photo
    owner: Int64  # (m,) photo of each query, known photos first
    version: str  # of what cut the queries and views out


def packed(data: Path, models: Path | None) -> Packed:
    """Made the first time, five minutes of one core.

    Args:
        models: folder with the detector and background remover that cut the queries and half of the views out; None =
            the shipped ones.
    """
    cutter = Cutter(models)
    folder = KEPT / cutter.version
    pills: list[PillImage] = []

    def loaded() -> list[PillImage]:
        if not pills:  # half a minute of a core, for nothing where all is made
            pills.extend(load_nih_crops(data))
        return pills

    queries = folder / "queries.npz"
    if not queries.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        images, owner = _consumer_images(data, cutter)
        np.savez(queries, images=images, owner=owner)
    with np.load(queries) as kept:
        images, owner = kept["images"], kept["owner"]
    references = _kept(KEPT / "references.npy", lambda: exact_views(loaded(), SIZE))
    sides = np.random.default_rng(SEED).permutation(len(references))[:SIDES]
    views = _kept(folder / "views.npy", lambda: _views([loaded()[i] for i in sides], data, models))
    return Packed(references, sides, views, images, owner, cutter.version)


def real_pictures(data: Path, models: Path | None) -> UInt8:
    """(r, SIZE, SIZE, 3) pills of real photos, of which nothing is known but that they are real.

    The consumer photos and named pills of `training.real_crops`, which leaves the pills out that are tested.
    """
    cutter = Cutter(models)

    def make() -> UInt8:
        faces = [crop.rgba for crop in real_crops(data, SIZE, cutter, unnamed=False)]
        return np.stack([np.where(face[..., 3:] > 0, face[..., :3], 0).astype(np.uint8) for face in faces])

    return _kept(KEPT / cutter.version / "real.npy", make)


def drawn_pictures(data: Path, models: Path | None) -> tuple[UInt8, UInt8]:
    """(DRAWN, SIZE, SIZE, 3) and (VIEWS, DRAWN, SIZE, SIZE, 3): Korean items as `training.renderer` draws them, exact
    and in views."""
    folder = KEPT / Cutter(models).version
    pills: list[PillImage] = []

    def drawn() -> list[PillImage]:
        if not pills:
            pills.extend(draw(kr_mfds.load(data / "catalogs" / "kr_mfds.csv.gz").items, DRAWN))
        return pills

    return (
        _kept(folder / "drawn.npy", lambda: exact_views(drawn(), SIZE)),
        _kept(folder / "drawn_views.npy", lambda: _views(drawn(), data, models)),
    )


def draw(rows: Sequence[ItemRow], count: int) -> list[PillImage]:
    """`count` items with an imprint, drawn at random from `rows`; alpha is 0 or 255 as in a photographed cut-out."""
    rng, pills = np.random.default_rng(SEED), list[PillImage]()
    described = [row for row in rows if row.form and row.shapes and row.colors_front and row.imprints]
    for number in rng.permutation(len(described)):
        item = as_catalog_item(described[number], rng)
        if not item.imprint_front.strip():
            continue
        rgba = render_pill(look_of(item, rng), "front", 224, rng)
        mask = np.where(rgba[..., 3] >= 128, 255, 0).astype(np.uint8)
        rgba[..., 3] = mask
        pills.append(PillImage(np.dstack([bleed(rgba), mask]), item.item_id, "front", item.item_id))
        if len(pills) == count:
            break
    return pills


def _kept(path: Path, make: Callable[[], UInt8]) -> UInt8:
    """What `make` returned the first time, mapped from `path`."""
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = path.with_suffix(".part.npy")
        np.save(aside, make())
        aside.replace(path)
    return np.load(path, mmap_mode="c")  # torch wants pictures that may be written to; the file stays as it is


def _views(pills: list[PillImage], data: Path, models: Path | None) -> UInt8:
    rng, remover = np.random.default_rng(SEED + 1), BackgroundRemover.open(models)
    maker = ConsumerViews(data, size=SIZE, pool=120, seed=SEED, remover=remover.mask)
    return np.stack([np.stack([maker.view(pill.rgba, rng)[..., :3] for pill in pills]) for _ in range(VIEWS)])


def _consumer_images(data: Path, cutter: Cutter) -> tuple[UInt8, Int64]:
    """(M, SIZE, SIZE, 3): the turns of every consumer photo's cut-out; and whose each is, known pills first."""
    known, unknown = load_photos(data)
    images, owner = [], []
    for number, query in enumerate(consumer_queries(cutter, [*known, *unknown])):
        for cutout in query.cutouts:
            views, _ = turned(cutout[None], SIZE)
            images.append(views)
            owner += [number] * len(views)
    return np.concatenate(images), np.array(owner)
