"""`python -m benchmarks index_scale`: recall, time and size of the ways to find nearest vectors, as the index grows.

No catalogue of a million pill photos is at hand, so the vectors are grown from those of the shipped index: each is a
point between one of them and one of its ten nearest, moved a little, of unit length. Queries are made in the same way,
moved further (cosine to the nearest about .8, as between photo and reference), and are in no index. Truth is what exact
search over float32 finds. One thread, one query at a time, as in the server.
"""

import argparse
import resource
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import faiss
import numpy as np
from numpy.typing import NDArray

from benchmarks.report import RESULTS, machine
from index.manifest import VECTORS
from index.search import SHIPPED
from index.vectors import Method, Storage, Vectors, write_vectors

Float32 = NDArray[np.float32]

QUERIES: Final = 200
K: Final = 10
GROWN: Final = 0.35
"""Length of the random step that makes a vector, of unit vectors."""
ASKED: Final = 0.75
"""Length of the step that makes a query."""
KINDS: Final[Sequence[tuple[Method, Storage, Sequence[int]]]] = (
    ("exact", "float16", (0,)),
    ("exact", "uint8", (0,)),
    ("hnsw", "float16", (32, 64, 128)),
    ("ivfpq", "float16", (16, 64, 128)),
)
LEAST: Final = 10_000


def unit(vectors: Float32) -> Float32:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


def grown(seeds: Float32, near: NDArray[np.int64], count: int, step: float, seed: int) -> Float32:
    """(count, D) unit vectors between `seeds` (n, D) and their neighbours, rows `near` (n, 10)."""
    random = np.random.default_rng(seed)
    parts = []
    for start in range(0, count, 100_000):
        size = min(100_000, count - start)
        rows = random.integers(0, len(seeds), size)
        other = near[rows, random.integers(0, near.shape[1], size)]
        share = random.random((size, 1), np.float32)
        moved = random.standard_normal((size, seeds.shape[1]), np.float32)
        parts.append(unit((1 - share) * seeds[rows] + share * seeds[other] + step * unit(moved)))
    return np.concatenate(parts)


def truth(vectors: Float32, queries: Float32) -> NDArray[np.int64]:
    """(Q, K) rows of the nearest."""
    exact = faiss.IndexFlatIP(vectors.shape[1])
    exact.add(vectors)
    return np.asarray(exact.search(queries, K)[1])


def measure(vectors: Float32, queries: Float32, nearest: NDArray[np.int64], folder: Path) -> Iterator[str]:
    """One line for each kind and effort."""
    for method, storage, efforts in KINDS:
        if method == "ivfpq" and len(vectors) < LEAST:
            continue
        path = folder / VECTORS
        began = time.process_time()
        write_vectors(path, vectors, storage, method)
        build_s = time.process_time() - began
        for effort in efforts:
            index = Vectors(path, effort or 1)
            index.nearest(queries[:1], K)
            hits, spent = 0, []
            for query, wanted in zip(queries, nearest, strict=True):
                start = time.process_time()
                found = index.nearest(query[None], K)
                spent.append((time.process_time() - start) * 1000)
                hits += len(set(found) & set(wanted.tolist()))
            p50, p95 = np.percentile(spent, (50, 95))
            yield (
                f"| {len(vectors):,} | {method} | {storage} | {effort or ''} | {hits / (K * len(queries)):.3f} "
                f"| {p50:.2f} | {p95:.2f} | {path.stat().st_size / 1e6:.0f} | {build_s:.0f} |"
            )


HEAD = (
    f"| vectors | method | stored as | effort | recall@{K} | p50, ms | p95, ms | file, MB | build, core-s |\n"
    "|---|---|---|---|---|---|---|---|---|"
)


def main(argv: Sequence[str]) -> None:
    """Entry of `python -m benchmarks index_scale`."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks index_scale", description=__doc__)
    parser.add_argument("--counts", default="25000,1000000", help="numbers of vectors (default: 25000,1000000)")
    parser.add_argument("--index", type=Path, default=SHIPPED, help="whose vectors the others are grown from")
    parser.add_argument("--out", default="index_scale", help="name of the result page")
    arguments = parser.parse_args(argv)
    faiss.omp_set_num_threads(1)
    kept = faiss.read_index(str(arguments.index / VECTORS))
    seeds = unit(np.asarray(kept.reconstruct_n(0, kept.ntotal), np.float32))
    near = np.asarray(faiss.knn(seeds, seeds, 11, faiss.METRIC_INNER_PRODUCT)[1])[:, 1:]
    queries = grown(seeds, near, QUERIES, ASKED, seed=1)
    lines: list[str] = []
    print(HEAD, flush=True)
    for count in map(int, arguments.counts.split(",")):
        vectors = grown(seeds, near, count, GROWN, seed=2)
        nearest = truth(vectors, queries)
        cosine = float(np.median([vectors[row[0]] @ query for row, query in zip(nearest, queries, strict=True)]))
        with tempfile.TemporaryDirectory() as folder:
            for line in measure(vectors, queries, nearest, Path(folder)):
                print(line, flush=True)
                lines.append(line)
                write(arguments, lines)  # after each: a graph of a million takes many minutes
        print(f"median cosine of a query to its nearest of {count:,}: {cosine:.2f}", flush=True)


def write(arguments: argparse.Namespace, lines: Sequence[str]) -> None:
    """The result page as far as it is."""
    day = datetime.now(UTC).strftime("%Y-%m-%d")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    about = (
        f"`python -m benchmarks index_scale --counts {arguments.counts}`, {day}, {machine()}; {QUERIES} queries, "
        f"processor time of one thread (other work shared the machine), peak memory {peak:.1f} GB.\n\n"
        + " ".join(str(__doc__).partition("\n\n")[2].split())
    )
    (RESULTS / f"{arguments.out}.md").write_text(
        "\n".join(["# Index at scale", "", about, "", HEAD, *lines, ""]), "utf-8"
    )
