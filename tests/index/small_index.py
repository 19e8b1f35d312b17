"""A small index with synthetic vectors, built through the real writer."""

from pathlib import Path

import numpy as np

from index.build import Part, Recipe, build
from index.importers import kr_mfds, tw_tfda, us_nih
from index.photos import FaceFacts
from tests.index import tables

DIMENSION = 32


def unit(seed: int) -> np.ndarray:
    """A random unit vector; two of them are nearly orthogonal."""
    vector = np.random.default_rng(seed).normal(size=DIMENSION).astype(np.float32)
    return vector / np.linalg.norm(vector)


VECTORS = {"a_0.jpg": 1, "a_1.jpg": 2, "b_0.jpg": 3, "b_1.jpg": 4}


def parts(folder: Path) -> list[Part]:
    """Three catalogues of two or three rows each."""
    nih = us_nih.load(tables.write(folder / "us_nih.csv", tables.NIH, tables.NIH_TWIN, tables.NIH_UNREAD))
    tfda = tw_tfda.load(tables.write(folder / "tw_tfda.csv", tables.TFDA, tables.TFDA_CAPSULE))
    mfds = kr_mfds.load(tables.write(folder / "kr_mfds.csv.gz", tables.MFDS, tables.MFDS_SCORED))
    return [Part(nih, Path("nih")), Part(tfda, Path("tfda")), Part(mfds, None)]


def facts() -> dict[Path, list[FaceFacts]]:
    """One face on every NIH crop, two on TFDA's first photo, none on its second."""
    found = {Path("nih") / file: [FaceFacts(unit(seed), None, None)] for file, seed in VECTORS.items()}
    found[Path("tfda/p.webp")] = [FaceFacts(unit(5), None, None), FaceFacts(unit(6), None, None)]
    found[Path("tfda/q.webp")] = []
    return found


def build_small(folder: Path, recipe: Recipe | None = None) -> Path:
    """Build the index under `folder` and return where it is."""
    build(parts(folder), facts(), folder / "index", recipe or Recipe())
    return folder / "index"
