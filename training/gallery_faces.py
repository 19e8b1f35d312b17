"""Every reference face of the index, cut out as the index cut it and kept small: classes to train on, and what a new
embedder must see before it can be measured against all catalogues.

`python -m training gallery --data DIR --models DIR --out DIR` writes such an index for other embedder weights. It
cuts nothing and reads nothing anew, so it takes a minute and a half in place of a whole build.
"""

import argparse
import asyncio
import os
import shutil
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray
from tqdm import tqdm

from index.build import Part, photo_jobs, without_mean
from index.cache import CACHE, BuildCache, fingerprint
from index.importers import tw_tfda, us_nih
from index.manifest import MANIFEST, VECTORS, Manifest, describe
from index.photos import PhotoStudy
from index.search import SHIPPED, LoadedIndex
from index.vectors import write_vectors
from pipeline.cutout import cut_out
from runners.images import on_black
from runners.session import MODELS_DIR, open_model, read_manifest
from training.appearance import bleed
from training.real_cutouts import Cutter

UInt8 = NDArray[np.uint8]
Float32 = NDArray[np.float32]

KEPT: Final = Path("runs") / "gallery"
EXACT: Final = 128
"""Side of the faces as the embedder sees them, px."""
VIEWED: Final = 144
"""Side of the faces that views are made of, px: a pill is 127 px long there, of most Taiwanese photos all there is."""


@dataclass(frozen=True, slots=True)
class GalleryFaces:
    """Row by row those of the index's vector file. The pictures are mapped, not loaded."""

    exact: UInt8  # (n, EXACT, EXACT, 3) RGB on black
    rgba: UInt8  # (n, VIEWED, VIEWED, 4), alpha 0 or 255, the rim's colour carried outwards
    catalog: tuple[str, ...]
    items: tuple[tuple[str, ...], ...]  # ids of the items that show the face
    side: tuple[str, ...]  # front | back: of a Taiwanese photo the first and the second face


def gallery_faces(data: Path, index: Path = SHIPPED, cache: Path = CACHE) -> GalleryFaces:
    """Cut the first time (three minutes of a core where the build's cache is at hand), mapped afterwards."""
    tables = LoadedIndex(index).tables
    items, side = defaultdict(list), {}
    for item, which, vector in tables.faces:
        items[vector].append(item)
        side[vector] = which
    rows = range(len(tables.photos))
    catalog = tuple(tables.catalog[items[row][0]] for row in rows)
    folder = KEPT / fingerprint(*(read_manifest(MODELS_DIR).models[m].sha256 for m in ("detector", "background")))
    if not (folder / "rgba.npy").is_file():
        _pack(data, tables.photos, catalog, folder, cache)
    return GalleryFaces(
        np.load(folder / "exact.npy", mmap_mode="r"), np.load(folder / "rgba.npy", mmap_mode="r"), catalog,
        tuple(tuple(map(tables.item_id, items[row])) for row in rows), tuple(side[row] for row in rows),
    )  # fmt: skip


def _pack(data: Path, photos: tuple[str, ...], catalog: tuple[str, ...], folder: Path, cache: Path) -> None:
    """Write the pictures of all rows; `rgba.npy` comes last and says that all are there."""
    parts = [
        Part(us_nih.load(data / "catalogs" / "us_nih.csv"), data / "nih" / "crops"),
        Part(tw_tfda.load(data / "catalogs" / "tw_tfda.csv"), data / "tfda" / "img"),
    ]
    jobs = {(part.catalog.source.id, job.path.name): job for part in parts for job in photo_jobs([part], "nothing")}
    versions = {name: entry.sha256 for name, entry in read_manifest(MODELS_DIR).models.items()}
    folder.mkdir(parents=True, exist_ok=True)
    exact = open_memmap(folder / "exact.npy", "w+", np.uint8, (len(photos), EXACT, EXACT, 3))
    rgba = open_memmap(folder / "rgba.part.npy", "w+", np.uint8, (len(photos), VIEWED, VIEWED, 4))
    with BuildCache(cache) as known:
        study = PhotoStudy(Cutter(None).runners, versions, known, workers=1, progress=lambda _: None)
        faces: list[UInt8] = []
        for row, key in enumerate(tqdm(zip(catalog, photos, strict=True), total=len(photos), disable=None)):
            if row == 0 or key != (catalog[row - 1], photos[row - 1]):
                faces = asyncio.run(study.cut_outs(jobs[key]))
            face = faces.pop(0)
            exact[row] = on_black(face[None], EXACT)[0]
            small = cut_out(np.ascontiguousarray(face[..., :3]), face[..., 3], size=VIEWED)
            rgba[row] = np.dstack([bleed(small), small[..., 3]])
    exact.flush()
    rgba.flush()
    (folder / "rgba.part.npy").rename(folder / "rgba.npy")


def embed_gallery(faces: GalleryFaces, models: Path | None) -> Float32:
    """(n, D) unit vectors of all rows as the embedder of `models` gives them; kept, as it takes a minute and more."""
    path = KEPT / f"vectors-{read_manifest(models or MODELS_DIR).models['embedder'].sha256[:24]}.npy"
    if not path.is_file():
        session = open_model("embedder", models)
        name, starts = session.get_inputs()[0].name, range(0, len(faces.exact), 64)
        np.save(
            path, np.concatenate([session.run(None, {name: np.asarray(faces.exact[i : i + 64])})[0] for i in starts])
        )
    return np.asarray(np.load(path), np.float32)


def centred(vectors: Float32, catalog: tuple[str, ...]) -> Float32:
    """Each catalogue's mean taken out of its vectors: see `index.build.centred`."""
    names, out = np.array(catalog), np.empty_like(vectors)
    for name in set(catalog):
        out[names == name] = without_mean(vectors[names == name])
    return out


def write_index(vectors: Float32, models: Path | None, out: Path, index: Path = SHIPPED) -> None:
    """The index of `index` with other vectors, at `out`. Raises FileExistsError where something is already."""
    shutil.copytree(index, out)
    manifest: Any = Manifest.read(out)
    write_vectors(out / VECTORS, vectors, manifest.vectors.storage)
    manifest.files[VECTORS] = describe(out / VECTORS)
    manifest.models["embedder"] = read_manifest(models or MODELS_DIR).models["embedder"].sha256
    (out / MANIFEST).write_text(manifest.model_dump_json(indent=2) + "\n", "utf-8")


def main(argv: list[str]) -> None:
    """Command line: see `--help`."""
    parser = argparse.ArgumentParser(prog="python -m training gallery", description=__doc__)
    parser.add_argument("--data", type=Path, default=os.environ.get("PILLSCOPE_DATA"), help="folder with the pill data")
    parser.add_argument("--cache", type=Path, default=CACHE, help="of the index build, for the faces it found")
    parser.add_argument("--models", type=Path, default=None, help="folder with the embedder to see the faces")
    parser.add_argument("--out", type=Path, required=True, help="folder of the index to write")
    options = parser.parse_args(argv)
    if options.data is None:
        parser.error("name the folder with the data: --data DIR or PILLSCOPE_DATA (see README, section Data)")
    if options.out.exists():
        parser.error(f"{options.out} is there already: name a new folder")
    cv2.setNumThreads(1)
    faces = gallery_faces(Path(options.data), cache=options.cache)
    write_index(centred(embed_gallery(faces, options.models), faces.catalog), options.models, options.out)
