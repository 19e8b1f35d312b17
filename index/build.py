"""Catalogues and their photos -> one index: imported, cut, embedded, read, written in one step or not at all."""

import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from index.cache import fingerprint
from index.catalog import Entry, Face, write_catalog
from index.errors import ImportRefused
from index.faces import shape_of
from index.importers.rows import Catalog, ItemRow, Photo
from index.look_alikes import join_look_alikes
from index.manifest import CATALOG, MANIFEST, VECTORS, CatalogEntry, Manifest, VectorEntry, describe
from index.photos import FaceFacts, PhotoJob
from index.read_imprint import read_imprints, told_apart
from index.vectors import Method, Storage, write_vectors
from pipeline.schemas import Reading

Float32 = NDArray[np.float32]

DIMENSION: Final = 256
"""Length of a vector where there are no photos to tell it."""

FEW_FACES: Final = 200
"""Faces of a catalogue of which half the mean is taken out."""

WhatToRead = Literal["nothing", "missing", "all"]


@dataclass(frozen=True, slots=True)
class Part:
    """One catalogue of the index and the folder its photos are in; None = its photos are left out."""

    catalog: Catalog
    photos: Path | None


@dataclass(frozen=True, slots=True)
class Recipe:
    """How an index is made, kept in its manifest. `models`: SHA-256 of the models that saw the photos, by name."""

    storage: Storage = "float16"
    models: Mapping[str, str] = field(default_factory=dict)
    command: str = ""
    method: Method = "exact"
    threads: int = 1


def photo_jobs(parts: Sequence[Part], read: WhatToRead) -> list[PhotoJob]:
    """Every photo of the catalogues once.

    `read`: whose imprint is read too: of no item, of those whose tables state none, of all (worth it only for later
    builds: the cache keeps them). Photos to be read come first, so that a build stopped early has them.
    """
    jobs: dict[Path, PhotoJob] = {}
    for part in parts:
        if part.photos is None:
            continue
        for item in part.catalog.items:
            wanted = read == "all" or (read == "missing" and not item.imprints)
            for photo in item.photos:
                path = part.photos / photo.file
                known = jobs.get(path)
                jobs[path] = PhotoJob(path, photo.layout, wanted or (known is not None and known.read), item.shapes)
    return sorted(jobs.values(), key=lambda job: not job.read)


def build(parts: Sequence[Part], facts: Mapping[Path, list[FaceFacts]], out: Path, recipe: Recipe) -> Manifest:
    """Make an index and put it at `out`, replacing the one there.

    Args:
        parts: the catalogues.
        facts: what the models said of each photo, by its path; a photo that is not in there adds nothing.

    Raises:
        ImportRefused: two catalogues of one id, or `out` is a folder of something else. Nothing was changed then.
    """
    names = [part.catalog.source.id for part in parts]
    if len(set(names)) < len(names):
        raise ImportRefused(f"two catalogues share an id: {names}")
    strangers = {path.name for path in out.iterdir()} - {CATALOG, VECTORS, MANIFEST} if out.exists() else set()
    if strangers:
        raise ImportRefused(f"{out} holds other files ({min(strangers)}); give an index a folder of its own")
    shelf = _Shelf()
    facts = {path: faces for part in parts for path, faces in centred(_photos_of(part), facts).items()}
    entries = join_look_alikes([_entry(part, item, facts, shelf) for part in parts for item in part.catalog.items])
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}-") as scratch:
        fresh = Path(scratch) / "new"
        fresh.mkdir()
        write_catalog(fresh / CATALOG, [part.catalog.source for part in parts], entries, shelf.files)
        write_vectors(fresh / VECTORS, shelf.matrix(), recipe.storage, recipe.method, recipe.threads)
        manifest = _manifest(fresh, parts, entries, shelf, recipe)
        (fresh / MANIFEST).write_text(manifest.model_dump_json(indent=2) + "\n", "utf-8")
        if out.exists():
            out.rename(Path(scratch) / "old")
        fresh.rename(out)
    return manifest


def _photos_of(part: Part) -> list[Path]:
    """Every photo of a catalogue once."""
    if part.photos is None:
        return []
    return list(dict.fromkeys(part.photos / photo.file for item in part.catalog.items for photo in item.photos))


def centred(photos: Sequence[Path], facts: Mapping[Path, list[FaceFacts]]) -> dict[Path, list[FaceFacts]]:
    """The faces of one catalogue's photos with what all its photos share taken out of their vectors.

    A catalogue is shot in one studio, with one light and camera: its vectors lie to one side of everybody else's. The
    embedder is centred on photos that people took, so a reference less its catalogue's mean is nearer to them: 5 to 8
    more of 100 consumer photos find their pill first. A catalogue of a few photos keeps most of its mean, which
    would be the pills' own.
    """
    known = [photo for photo in photos if photo in facts]
    faces = [face.vector for photo in known for face in facts[photo]]
    moved: Iterator[Float32] = iter(without_mean(np.stack(faces)) if faces else ())
    return {photo: [replace(face, vector=next(moved)) for face in facts[photo]] for photo in known}


def without_mean(vectors: Float32) -> Float32:
    """(n, D) unit vectors of one catalogue, n > 0, without what they share: see `centred`."""
    shared = np.mean(vectors, axis=0) * (len(vectors) / (len(vectors) + FEW_FACES))
    return np.stack([_unit(vector - shared) for vector in vectors])


def _unit(vector: Float32) -> Float32:
    return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-12), np.float32)


class _Shelf:
    """Vectors in the order they get their rows, each face of each photo once."""

    def __init__(self) -> None:
        self.files: list[str] = []
        self._vectors: list[Float32] = []
        self._rows: dict[tuple[Path, int], int] = {}

    def put(self, path: Path, number: int, file: str, vector: Float32) -> int:
        """The row of face `number` of a photo."""
        row = self._rows.setdefault((path, number), len(self.files))
        if row == len(self.files):
            self.files.append(file)
            self._vectors.append(vector)
        return row

    def matrix(self) -> Float32:
        """(n, D) float32."""
        return np.stack(self._vectors) if self._vectors else np.zeros((0, DIMENSION), np.float32)


def _entry(part: Part, item: ItemRow, facts: Mapping[Path, list[FaceFacts]], shelf: _Shelf) -> Entry:
    """An item with what its photos add: faces, an imprint where there is none, which of the possible shapes."""
    sided = [
        (side, photo, number, face)
        for photo in item.photos
        if part.photos is not None
        for number, (side, face) in enumerate(_sided(photo, facts.get(part.photos / photo.file, [])))
    ]
    faces = tuple(
        Face(side, shelf.put(part.photos / photo.file, number, photo.file, face.vector))
        for side, photo, number, face in sided
        if part.photos is not None
    )
    update: dict[str, object] = {}
    outlines = [face.outline for *_, face in sided if face.outline is not None]
    if len(item.shapes) > 1:
        update["shapes"] = (shape_of(outlines, item.shapes),)
    update |= _imprint(item, [(side, face.readings or []) for side, _, _, face in sided])
    return Entry(part.catalog.source.id, item.model_copy(update=update), faces)


def _imprint(item: ItemRow, read: Sequence[tuple[str, list[Reading]]]) -> dict[str, object]:
    """What the readings of an item's faces add: an imprint where none is stated, its sides where they are not known."""
    front, back = (next((r for side, r in read if side == wanted and r), []) for wanted in ("front", "back"))
    if not item.imprints:
        imprints = read_imprints(front, back)
        return {"imprints": imprints, "imprint_source": "read", "sides_known": True} if imprints else {}
    if not item.sides_known:
        versions = [told_apart(version, front, back) for version in item.imprints]
        if None not in versions:
            return {"imprints": tuple(versions), "sides_known": True}
    return {}


def _sided(photo: Photo, faces: Sequence[FaceFacts]) -> Iterable[tuple[Literal["front", "back"], FaceFacts]]:
    """Faces of a photo with their side: the stated one; else the first found counts as front, the second as back."""
    if photo.side is not None:
        return [(photo.side, face) for face in faces[:1]]
    return zip(("front", "back"), faces, strict=False)


def _manifest(folder: Path, parts: Sequence[Part], entries: Sequence[Entry], shelf: _Shelf, recipe: Recipe) -> Manifest:
    files = {name: describe(folder / name) for name in (CATALOG, VECTORS)}
    content = fingerprint(*(files[name].sha256 for name in sorted(files)))
    return Manifest(
        version=1,
        index=f"{date.today().isoformat()}-{content[:8]}",
        files=files,
        models=dict(recipe.models),
        vectors=VectorEntry(
            count=len(shelf.files),
            dimension=shelf.matrix().shape[1],
            storage=recipe.storage,
            method=recipe.method,
        ),
        catalogs={part.catalog.source.id: _catalog_entry(part.catalog, entries) for part in parts},
        command=recipe.command,
    )


def _catalog_entry(catalog: Catalog, entries: Sequence[Entry]) -> CatalogEntry:
    own = [entry for entry in entries if entry.catalog == catalog.source.id]
    return CatalogEntry(
        title=catalog.source.title,
        attribution=catalog.source.attribution,
        date=catalog.source.date,
        items=len(own),
        with_photo=sum(bool(entry.faces) for entry in own),
        imprints=dict(sorted(Counter(entry.item.imprint_source or "none" for entry in own).items())),
        rejected_rows=len(catalog.rejections),
        unknown_words=sum(catalog.unknown_words.values()),
    )
