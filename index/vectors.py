"""The vectors of all reference faces in one FAISS file, searched by inner product (cosine, as all are unit).

    exact   every vector is compared: nothing is missed; time grows with their number
    hnsw    a graph of near neighbours: time hardly grows, each vector takes some 270 bytes more
    ivfpq   lists of vectors of 32 bytes, the best of which are compared once more by what is stored: for tens of
            millions, as only the short codes need to be in memory

Figures of a machine: `python -m benchmarks index_scale`. Whatever finds the rows, `similarities` are those of the
stored vectors.
"""

from copy import copy
from math import isqrt
from pathlib import Path
from typing import Final, Literal

import faiss
import numpy as np
from numpy.typing import NDArray

from index.errors import ImportRefused, IndexDamaged

Float32 = NDArray[np.float32]
Int64 = NDArray[np.int64]

Storage = Literal["float32", "float16", "uint8"]
Method = Literal["exact", "hnsw", "ivfpq"]

_QUANTIZERS: Final = {"float16": faiss.ScalarQuantizer.QT_fp16, "uint8": faiss.ScalarQuantizer.QT_8bit}
_REFINERS: Final = {"float32": "Flat", "float16": "SQfp16", "uint8": "SQ8"}

EFFORT: Final = 64
"""Candidates that HNSW follows, lists that IVF-PQ looks into. More finds more and takes longer in proportion."""
NEIGHBOURS: Final = 32
"""Edges of a vector in the HNSW graph (twice as many at the lowest level)."""
BUILD_EFFORT: Final = 80
CODE_BYTES: Final = 32
"""Of a vector in the lists of IVF-PQ."""
REFINED: Final = 10
"""How many times as many candidates as asked for are compared by their stored vectors."""
LEAST_FOR_LISTS: Final = 10_000
"""Vectors from which codes can be learned at all; exact search takes well below 1 ms up to there."""
TRAINED_ON: Final = 200_000
"""Vectors, drawn at random, that lists and codes are learned from."""
MAPPED: Final = 64_000_000
"""Bytes from which a file is mapped into memory instead of read: workers of one host then share it, and only what is
looked at is loaded."""


def write_vectors(path: Path, vectors: Float32, storage: Storage, method: Method = "exact", threads: int = 1) -> None:
    """Write (n, D) float32 unit vectors. float16 halves the file at no measurable loss; uint8 quarters it.

    `threads`: FAISS's own. On one, the file is the same each time; on several the graph of `hnsw` is not.

    Raises:
        ImportRefused: too few vectors for `ivfpq`.
    """
    if method == "ivfpq" and len(vectors) < LEAST_FOR_LISTS:
        raise ImportRefused(f"ivfpq needs {LEAST_FOR_LISTS} vectors, not {len(vectors)}; exact search is quick enough")
    faiss.omp_set_num_threads(threads)
    index = empty_index(vectors.shape[1], len(vectors), storage, method)
    if not index.is_trained and len(vectors):
        chosen = np.random.default_rng(0).permutation(len(vectors))[:TRAINED_ON]
        index.train(np.ascontiguousarray(vectors[np.sort(chosen)]))
    if len(vectors):
        index.add(vectors)
    faiss.write_index(index, str(path))


def empty_index(dimension: int, count: int, storage: Storage, method: Method) -> faiss.Index:
    """An index for about `count` vectors of this dimension, not trained."""
    metric = faiss.METRIC_INNER_PRODUCT
    if method == "ivfpq":
        lists = min(65_536, 4 * isqrt(count))
        codes = min(CODE_BYTES, dimension // 4)
        coarse = f"IVF{lists}_HNSW32" if lists > 8_192 else f"IVF{lists}"
        index = faiss.index_factory(dimension, f"{coarse},PQ{codes}x8,Refine({_REFINERS[storage]})", metric)
        # an order of the codes that only Hamming distances would use; learning it took nine tenths of a build
        faiss.downcast_index(faiss.extract_index_ivf(index)).do_polysemous_training = False  # type: ignore[attr-defined]
        return index
    if method == "hnsw":
        index = (
            faiss.IndexHNSWFlat(dimension, NEIGHBOURS, metric)
            if storage == "float32"
            else faiss.IndexHNSWSQ(dimension, _QUANTIZERS[storage], NEIGHBOURS, metric)  # type: ignore[arg-type]
        )
        index.hnsw.efConstruction = BUILD_EFFORT
        return index
    if storage == "float32":
        return faiss.IndexFlatIP(dimension)
    return faiss.IndexScalarQuantizer(dimension, _QUANTIZERS[storage], metric)


class Vectors:
    """A vector file, loaded or mapped. `effort`: see `EFFORT`; exact search knows none."""

    def __init__(self, path: Path, effort: int = EFFORT) -> None:
        """Raises `IndexDamaged` when FAISS cannot read the file."""
        try:
            large = path.stat().st_size >= MAPPED
            self._index = faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC if large else 0)
        except (OSError, RuntimeError) as error:
            raise IndexDamaged(path, "not a FAISS index") from error
        self._effort = effort

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
        selector = None
        if among is not None:
            bitmap = np.packbits(among, bitorder="little")
            selector = faiss.IDSelectorBitmap(bitmap)  # type: ignore[call-arg, arg-type]  # FAISS patches both at import
        parameters = self._parameters(k, selector)
        similarity, rows = self._index.search(np.ascontiguousarray(queries, np.float32), k, params=parameters)
        best: dict[int, float] = {}
        for row, cosine in zip(rows.ravel().tolist(), similarity.ravel().tolist(), strict=True):
            if row >= 0:  # -1: lists or graph led to fewer than k
                best[row] = max(cosine, best.get(row, -1.0))
        return sorted(best, key=lambda row: (-best[row], row))[:k]

    def _parameters(self, k: int, selector: faiss.IDSelector | None) -> faiss.SearchParameters | None:
        """How to search this kind of index for k vectors."""
        if isinstance(self._index, faiss.IndexHNSW):
            parameters: faiss.SearchParameters = faiss.SearchParametersHNSW(  # type: ignore[attr-defined]
                sel=selector, efSearch=max(self._effort, k)
            )
            return parameters
        if isinstance(self._index, faiss.IndexRefine):
            lists = faiss.SearchParametersIVF(sel=selector, nprobe=self._effort)  # type: ignore[call-arg]
            return faiss.IndexRefineSearchParameters(  # type: ignore[call-arg]
                k_factor=REFINED, base_index_params=lists
            )
        return None if selector is None else faiss.SearchParameters(sel=selector)  # type: ignore[call-arg]

    def similarities(self, queries: Float32, rows: Int64) -> Float32:
        """Best cosine over the queries (R, D) for each of the vector rows (m,): (m,) float32."""
        if not len(rows):
            return np.zeros(0, np.float32)
        kept = self._index.reconstruct_batch(rows)
        return np.asarray((kept @ np.asarray(queries, np.float32).T).max(axis=1), np.float32)
