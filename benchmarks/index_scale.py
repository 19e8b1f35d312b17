"""`python -m benchmarks index_scale`: recall, time and size of the ways to find nearest vectors, as the index grows.

No catalogue of a million pill photos is at hand, so the vectors are grown from those of the shipped index: each is a
point between one of them and one of its ten nearest, moved a little, of unit length. Queries are made in the same way,
moved further (cosine to the nearest about .75, as between photo and reference), and are in no index. Truth is what
exact search over float32 finds. One thread, one query at a time, as in the server; files over 64 MB are memory-mapped.

The last rows are projected, not measured: time goes on as a power of the number of vectors as it did between the two
sizes measured last, files grow in proportion, and recall is not guessed. HNSW has 32 edges a vector (64 at the lowest
level) and follows 80 candidates while it is built; IVF-PQ has 4 sqrt(n) lists and codes of 32 bytes, and compares ten
times as many as asked for by their stored vectors; effort is efSearch and nprobe.
"""

import argparse
import resource
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from math import log
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
PROJECTED: Final = (1_000_000, 10_000_000)


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


@dataclass(frozen=True, slots=True)
class Line:
    """One way to search so many vectors; `recall` None: projected. Milliseconds a query, core-seconds to build."""

    vectors: int
    method: Method
    storage: Storage
    effort: int
    recall: float | None
    p50_ms: float
    p95_ms: float
    megabytes: float
    build_s: float

    def __str__(self) -> str:
        found = "projected" if self.recall is None else f"{self.recall:.3f}"
        return (
            f"| {self.vectors:,} | {self.method} | {self.storage} | {self.effort or ''} | {found} | {self.p50_ms:.2f} "
            f"| {self.p95_ms:.2f} | {self.megabytes:.0f} | {self.build_s:.0f} |"
        )

    @classmethod
    def read(cls, text: str) -> "Line":
        """The inverse of `str`, of a line that was measured."""
        vectors, method, storage, effort, recall, p50, p95, size, build_s = map(str.strip, text.strip("| ").split("|"))
        return cls(
            int(vectors.replace(",", "")), method, storage, int(effort or 0),  # type: ignore[arg-type]
            float(recall), float(p50), float(p95), float(size), float(build_s),
        )  # fmt: skip


def missing(lines: Sequence[Line], count: int) -> list[tuple[Method, Storage, Sequence[int]]]:
    """Of `KINDS`, those that can be measured for `count` vectors and are not in `lines`."""
    known = {(line.vectors, line.method, line.storage, line.effort) for line in lines}
    return [
        (method, storage, efforts)
        for method, storage, efforts in KINDS
        if (method != "ivfpq" or count >= LEAST) and {(count, method, storage, e) for e in efforts} - known
    ]


def measure(
    vectors: Float32, queries: Float32, nearest: NDArray[np.int64], folder: Path,
    kinds: Sequence[tuple[Method, Storage, Sequence[int]]],
) -> Iterator[Line]:  # fmt: skip
    """One line for each kind and effort."""
    for method, storage, efforts in kinds:
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
            megabytes, recall = path.stat().st_size / 1e6, hits / (K * len(queries))
            yield Line(len(vectors), method, storage, effort, recall, p50, p95, megabytes, build_s)


def projected(lines: Sequence[Line]) -> list[Line]:
    """What each way would take for as many vectors as `PROJECTED` says, of those that were measured at two sizes."""
    ways: dict[tuple[str, str, int], list[Line]] = {}
    for line in sorted(lines, key=lambda line: line.vectors):
        ways.setdefault((line.method, line.storage, line.effort), []).append(line)
    pairs = [same[-2:] for same in ways.values() if same[0].vectors < same[-1].vectors]
    return [larger(*pair, count) for count in PROJECTED for pair in pairs if pair[1].vectors < count]


def larger(small: Line, large: Line, count: int) -> Line:
    """`count` vectors, by the power that leads from one line to the other; no figure falls."""
    further = log(count / large.vectors) / log(large.vectors / small.vectors)

    def on(before: float, last: float, least: float) -> float:
        return last * max(1, max(last, least) / max(before, least)) ** further

    p50_ms = on(small.p50_ms, large.p50_ms, 1e-3)
    return replace(
        large,
        vectors=count,
        recall=None,
        p50_ms=p50_ms,
        p95_ms=max(p50_ms, on(small.p95_ms, large.p95_ms, 1e-3)),
        megabytes=large.megabytes * count / large.vectors,
        build_s=on(small.build_s, large.build_s, 1),  # the table knows whole seconds
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
    parser.add_argument(
        "--resume", action="store_true", help="keep the lines that the result page has, measure the rest"
    )
    parser.add_argument("--out", default="index_scale", help="name of the result page")
    arguments = parser.parse_args(argv)
    faiss.omp_set_num_threads(1)
    shipped = faiss.read_index(str(arguments.index / VECTORS))
    seeds = unit(np.asarray(shipped.reconstruct_n(0, shipped.ntotal), np.float32))
    near = np.asarray(faiss.knn(seeds, seeds, 11, faiss.METRIC_INNER_PRODUCT)[1])[:, 1:]
    queries = grown(seeds, near, QUERIES, ASKED, seed=1)
    page = RESULTS / f"{arguments.out}.md"
    lines = kept_lines(page.read_text("utf-8")) if arguments.resume and page.exists() else []
    print("\n".join([HEAD, *map(str, lines)]), flush=True)
    for count in map(int, arguments.counts.split(",")):
        if not (kinds := missing(lines, count)):
            continue
        vectors = grown(seeds, near, count, GROWN, seed=2)
        nearest = truth(vectors, queries)
        cosine = float(np.median([vectors[row[0]] @ query for row, query in zip(nearest, queries, strict=True)]))
        with tempfile.TemporaryDirectory() as folder:
            for line in measure(vectors, queries, nearest, Path(folder), kinds):
                print(line, flush=True)
                lines.append(line)
                write(arguments, lines)  # after each: a graph of a million takes many minutes
        print(f"median cosine of a query to its nearest of {count:,}: {cosine:.2f}", flush=True)


def kept_lines(page: str) -> list[Line]:
    """The measured lines of a result page."""
    rows = [text for text in page.splitlines() if text[:2] == "| " and text[2:3].isdigit() and "projected" not in text]
    return [Line.read(text) for text in rows]


def write(arguments: argparse.Namespace, lines: Sequence[Line]) -> None:
    """The result page as far as it is."""
    day = datetime.now(UTC).strftime("%Y-%m-%d")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    about = (
        f"`python -m benchmarks index_scale --counts {arguments.counts}`, {day}, {machine()}; {QUERIES} queries, "
        f"processor time of one thread (other work shared the machine), peak memory {peak:.1f} GB.\n\n"
        + " ".join(str(__doc__).partition("\n\n")[2].split())
    )
    (RESULTS / f"{arguments.out}.md").write_text(
        "\n".join(["# Index at scale", "", about, "", HEAD, *map(str, (*lines, *projected(lines))), ""]), "utf-8"
    )
