"""What an index consists of, file by file with its hash: nothing is loaded that differs from it."""

import hashlib
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, ValidationError

from index.errors import IndexDamaged

MANIFEST: Final = "manifest.json"
CATALOG: Final = "catalog.sqlite"
VECTORS: Final = "vectors.faiss"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FileEntry(_Part):
    sha256: str
    bytes: int


class VectorEntry(_Part):
    """`storage`: how FAISS keeps them; `method`: how it finds the nearest, see `index.vectors`."""

    count: int
    dimension: int
    storage: str
    method: str = "exact"


class CatalogEntry(_Part):
    """`imprints`: number of items by the source of their imprint; `unknown_words`: source words we have none for."""

    title: str
    attribution: str
    date: str
    items: int
    with_photo: int
    imprints: dict[str, int]
    rejected_rows: int
    unknown_words: int


class Manifest(_Part):
    version: int
    index: str
    files: dict[str, FileEntry]
    models: dict[str, str]
    vectors: VectorEntry
    catalogs: dict[str, CatalogEntry]
    command: str

    @classmethod
    def read(cls, folder: Path) -> "Manifest":
        """Raises `IndexDamaged` when absent or not a manifest."""
        path = folder / MANIFEST
        try:
            return cls.model_validate_json(path.read_bytes())
        except OSError as error:
            raise IndexDamaged(path, "cannot be read; build the index first: python -m index build") from error
        except ValidationError as error:
            raise IndexDamaged(path, "not a manifest of this version") from error

    def check(self, folder: Path) -> None:
        """Raises `IndexDamaged` for the first file whose bytes are not those the manifest names."""
        for name in (CATALOG, VECTORS):
            if name not in self.files:
                raise IndexDamaged(folder / MANIFEST, f"does not name {name}")
            if describe(folder / name) != self.files[name]:
                raise IndexDamaged(folder / name, "differs from the manifest's SHA-256")


def describe(path: Path) -> FileEntry:
    """Size and SHA-256 of a file. Raises `IndexDamaged` when it cannot be read."""
    try:
        with path.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        return FileEntry(sha256=digest, bytes=path.stat().st_size)
    except OSError as error:
        raise IndexDamaged(path, "cannot be read") from error
