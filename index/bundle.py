"""An index as one file to carry to another host: `python -m index pack` and `unpack`.

A zip of exactly the three files of an index. Unpacking trusts nothing in it: it holds these three names and no other,
so that no path leads anywhere, only their bytes are taken (a link is a few bytes of text), each up to a cap; hashes
must be those of the manifest in it, and the whole must load; only then does it replace the index that was there.
"""

import tempfile
import zipfile
import zlib
from pathlib import Path
from typing import Final

from index.errors import ImportRefused
from index.manifest import CATALOG, MANIFEST, VECTORS
from index.search import LoadedIndex

MOST_BYTES: Final = {MANIFEST: 1_000_000, CATALOG: 1_000_000_000, VECTORS: 2_000_000_000}
"""By file, unpacked. The shipped index has 30 MB."""
CHUNK: Final = 1_000_000


def pack(folder: Path, bundle: Path) -> None:
    """Write an index as one file; `bundle` is complete or as it was.

    Raises:
        IndexDamaged: the index is not whole.
        ImportRefused: its folder is not there, cannot be written, or is full.
    """
    LoadedIndex(folder)
    if bundle.is_dir():
        raise ImportRefused(f"{bundle} is a folder; give the bundle a name in it, such as index.zip")
    try:
        with tempfile.TemporaryDirectory(dir=bundle.resolve().parent) as scratch:
            fresh = Path(scratch) / "bundle"
            with zipfile.ZipFile(fresh, "w", zipfile.ZIP_DEFLATED) as archive:
                for name in MOST_BYTES:
                    archive.write(folder / name, name)
            fresh.rename(bundle)
    except OSError as error:
        raise ImportRefused(f"{bundle}: cannot be written ({error.strerror})") from error


def unpack(bundle: Path, out: Path) -> LoadedIndex:
    """Put the index of a bundle at `out`, replacing the one there. Returns it.

    Raises:
        ImportRefused: no bundle, other files in it, too large ones, or `out` is some other folder.
        IndexDamaged: the files are not, byte for byte, those of the manifest. Nothing was changed in either case.
    """
    if out.exists() and (strangers := {path.name for path in out.iterdir()} - MOST_BYTES.keys()):
        raise ImportRefused(f"{out} holds other files ({min(strangers)}); give an index a folder of its own")
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.resolve().parent, prefix=f".{out.name}-") as scratch:
        fresh = Path(scratch) / "new"
        fresh.mkdir()
        _extract(bundle, fresh)
        index = LoadedIndex(fresh)
        if out.exists():
            out.rename(Path(scratch) / "old")
        fresh.rename(out)
    return index


def _extract(bundle: Path, folder: Path) -> None:
    try:
        with zipfile.ZipFile(bundle) as archive:
            if sorted(archive.namelist()) != sorted(MOST_BYTES):
                raise ImportRefused(f"{bundle.name}: holds other files than the three of an index")
            for name, most in MOST_BYTES.items():
                with archive.open(name) as source, (folder / name).open("xb") as target:
                    written = 0
                    while chunk := source.read(CHUNK):
                        written += target.write(chunk)
                        if written > most:
                            raise ImportRefused(f"{bundle.name}: {name} unpacks to more than {most} bytes")
    except (OSError, EOFError, RuntimeError, NotImplementedError, zipfile.BadZipFile, zlib.error) as error:
        raise ImportRefused(f"{bundle.name}: not a bundle of an index, or damaged ({type(error).__name__})") from error
