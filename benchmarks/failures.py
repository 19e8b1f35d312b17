"""`python -m benchmarks failures --data DIR`: what the embedding takes for what, as a page to look at.

For every development photo whose pill is not first: the query's cut-out, the true reference and the winner side by
side, consumer photos against the NIH sides and hospital photos against the Taiwanese ones. The page holds pictures of
the data folder, so it is written under runs/ and stays on this machine.
"""

import argparse
import html
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from benchmarks.options import parse_with_data
from index.search import SHIPPED, LoadedIndex
from pipeline.ports import Float32, UInt8
from runners.embedder import Embedder
from runners.images import on_black
from training.consumer import load_photos, truth
from training.cutouts import read_rgb
from training.real_cutouts import Cutter, Query, consumer_queries, hospital_queries

PAGE: Final = Path("runs") / "failures" / "index.html"
FOLDERS: Final = {"us-nih": Path("nih") / "crops", "tw-tfda": Path("tfda") / "img"}
SIDE: Final = 160
SHORTLIST: Final = 400


def _picture(image: UInt8) -> str:
    """(H, W, 3) RGB, at most SIDE px high, as an element of the page."""
    factor = min(SIDE / image.shape[0], 2 * SIDE / image.shape[1])
    small = cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    _, data = cv2.imencode(".jpg", cv2.cvtColor(np.asarray(small), cv2.COLOR_RGB2BGR))
    return f'<img src="data:image/jpeg;base64,{b64encode(data.tobytes()).decode()}">'


def _item(gallery: LoadedIndex, row: int, data: Path) -> str:
    """Reference photos and name of an item."""
    tables = gallery.tables
    files = dict.fromkeys(tables.photos[vector] for item, _, vector in tables.faces if item == row)
    folder = data / FOLDERS[tables.catalog[row]]
    shown = "".join(_picture(read_rgb(folder / file)) for file in files)
    return f"{shown}<br>{html.escape(tables.item_id(row))} {html.escape(tables.name[row][:60])}"


def failures(
    queries: list[Query], gallery: LoadedIndex, catalog: str, embedder: Embedder, data: Path
) -> Iterator[tuple[int, str]]:
    """Place of the right item (from 1; 0 = nowhere) and the table row of each query that is not first."""
    for query in queries:
        faces: list[Float32] = [embedder.embed(cutout[None])[0] for cutout in query.cutouts]
        right = [row for name in sorted(query.right) if (row := gallery.tables.row_of(name)) is not None]
        shown = "".join(_picture(on_black(cutout[None], SIDE)[0]) for cutout in query.cutouts) or "no pill found"
        if not faces or not right:
            yield 0, f"<tr><td>{query.name}<td>{shown}<td>{_item(gallery, right[0], data) if right else ''}<td>"
            continue
        rows = np.unique(np.concatenate([gallery.nearest(face, SHORTLIST, [catalog]) for face in faces]))
        sides = np.nan_to_num(np.stack([gallery.similarities(face, rows) for face in faces], axis=1), nan=-1.0)
        one = sides[:, 0].max(axis=1)
        two = sides[:, :1, 0] + sides[:, -1:, 1], sides[:, :1, 1] + sides[:, -1:, 0]
        scores = one if len(faces) == 1 else np.maximum(*two)[:, 0] / 2
        order = rows[np.argsort(-scores, kind="stable")]
        groups = list(dict.fromkeys(gallery.attributes(order).group.tolist()))
        places = [groups.index(g) + 1 for g in gallery.attributes(np.array(right)).group.tolist() if g in groups]
        if places[:1] == [] or min(places) > 1:
            place = min(places, default=0)
            yield place, (f"<tr><td>{query.name}<br>place {place or 'none'}<td>{shown}"
                          f"<td>{_item(gallery, right[0], data)}<td>{_item(gallery, int(order[0]), data)}")  # fmt: skip


def main(argv: list[str]) -> None:
    """Entry of `python -m benchmarks failures`."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks failures", description=__doc__)
    parser.add_argument("--index", type=Path, default=SHIPPED, help="folder of the index (default: the shipped one)")
    parser.add_argument("--models", type=Path, default=None, help="folder of the models (default: the shipped ones)")
    arguments = parse_with_data(parser, argv)
    data = arguments.data
    gallery, cutter = LoadedIndex(arguments.index), Cutter(arguments.models)
    embedder = Embedder.open(arguments.models)
    known, unknown = load_photos(data)
    answers = truth(data)
    look = {photo.number: frozenset(answers[photo.appearance]) for photo in known}
    consumer = [
        Query(query.name, query.cutouts, look[query.name])
        for query in consumer_queries(cutter, [*known, *unknown])
        if query.name in look
    ]
    parts = []
    for title, queries, catalog in (
        ("Consumer photos against the NIH sides", consumer, "us-nih"),
        ("Hospital photos against the Taiwanese items", hospital_queries(cutter, data), "tw-tfda"),
    ):
        found = sorted(failures(queries, gallery, catalog, embedder, data))
        parts.append(
            f"<h2>{title}: {len(found)} of {len(queries)} not first</h2><table border=1>"
            f"<tr><th>photo<th>cut-out<th>true<th>winner{''.join(row for _, row in found)}</table>"
        )
        print(f"{title}: {len(found)} of {len(queries)} not first")
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(f"<!doctype html><meta charset=utf-8><title>Failures</title>{''.join(parts)}", encoding="utf-8")
    print(f"written to {PAGE}")
