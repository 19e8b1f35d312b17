"""The vectors of all reference faces in one FAISS file, searched exactly by inner product (cosine, as all are unit)."""

from copy import copy
from pathlib import Path
from typing import Final, Literal

import faiss
import numpy as np
from numpy.typing import NDArray

from index.errors import IndexDamaged

Float32 = NDArray[np.float32]
Int64 = NDArray[np.int64]

Storage = Literal["float32", "float16", "uint8"]
_QUANTIZERS: Final = {"float16": faiss.ScalarQuantizer.QT_fp16, "uint8": faiss.ScalarQuantizer.QT_8bit}


def write_vectors(path: Path, vectors: Float32, storage: Storage) -> None:
    """Write (n, D) float32 unit vectors. float16 halves the file at no measurable loss; uint8 quarters it."""
    dimension = vectors.shape[1]
    index: faiss.Index
    if storage == "float32":
        index = faiss.IndexFlatIP(dimension)
    else:
        index = faiss.IndexScalarQuantizer(dimension, _QUANTIZERS[storage], faiss.METRIC_INNER_PRODUCT)
        if storage == "uint8" and len(vectors):
            index.train(vectors)
    if len(vectors):
        index.add(vectors)
    faiss.write_index(index, str(path))


class Vectors:
    """A vector file, loaded."""

    def __init__(self, path: Path) -> None:
        """Raises `IndexDamaged` when FAISS cannot read the file."""
        try:
            self._index = faiss.read_index(str(path))
        except RuntimeError as error:
            raise IndexDamaged(path, "not a FAISS index") from error

    def __len__(self) -> int:
        return int(self._index.ntotal)

    @property
    def dimension(self) -> int:
        return int(self._index.d)

    def followed_by(self, vectors: Float32) -> "Vectors":
        """These and, behind them, (n, D) float32 unit vectors, kept in the same way. This one stays as it is."""
        both = copy(self)
        both._index = faiss.clone_index(self._index)
        both._index.add(vectors)
        return both

    def nearest(self, queries: Float32, k: int, among: NDArray[np.bool_] | None = None) -> list[int]:
        """Rows of the k vectors nearest to any of the queries, best first; fewer when there are fewer.

        Args:
            queries: (R, D) float32 unit vectors: one face, in R turns.
            k: how many vectors.
            among: (n,) bool, vectors to look at; None = all.
        """
        k = min(k, len(self) if among is None else int(among.sum()))
        if k == 0:
            return []
        faiss.omp_set_num_threads(1)  # per thread, so at each call: two threads under load are 20 times slower
        parameters = None
        if among is not None:
            bitmap = np.packbits(among, bitorder="little")
            selector = faiss.IDSelectorBitmap(bitmap)  # type: ignore[call-arg, arg-type]  # FAISS patches both at import
            parameters = faiss.SearchParameters(sel=selector)  # type: ignore[call-arg]
        similarity, rows = self._index.search(np.ascontiguousarray(queries, np.float32), k, params=parameters)
        best: dict[int, float] = {}
        for row, cosine in zip(rows.ravel().tolist(), similarity.ravel().tolist(), strict=True):
            best[row] = max(cosine, best.get(row, -1.0))
        return sorted(best, key=lambda row: (-best[row], row))[:k]

    def similarities(self, queries: Float32, rows: Int64) -> Float32:
        """Best cosine over the queries (R, D) for each of the vector rows (m,): (m,) float32."""
        if not len(rows):
            return np.zeros(0, np.float32)
        kept = self._index.reconstruct_batch(rows)
        return np.asarray((kept @ np.asarray(queries, np.float32).T).max(axis=1), np.float32)
