"""`python -m index build|search|info|pack|unpack|refresh`: make an index, ask it, see what is in it, move it."""

import argparse
import asyncio
import os
import shlex
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Final

import numpy as np

from index.build import Part, Recipe, WhatToRead, build, photo_jobs
from index.bundle import unpack
from index.cache import CACHE
from index.disagreements import disagreements
from index.disagreements import write as write_disagreements
from index.engines.pool import study_in_pool
from index.engines.shard import Studied, Workplace
from index.faces import find_faces
from index.importers import kr_mfds, table, tw_tfda, us_nih
from index.importers.rows import MAX_REJECTED_SHARE, Catalog, Source
from index.own import FILE, create, read_cutout, renew_faces, stale_faces
from index.photos import FaceFacts, PhotoJob
from index.search import SHIPPED, LoadedIndex
from index.store import fetched, send
from pipeline.errors import PillscopeError
from pipeline.photo import read_photo
from pipeline.ports import Runners
from pipeline.schemas import CatalogItem
from runners.session import MODELS_DIR, ModelError, read_manifest

SHARDS: Final = Path("runs") / "index-shards"
DATA_HELP: Final = (
    "folder with catalogs/, nih/crops/ and tfda/img/ (default: $PILLSCOPE_DATA). The catalogues are public: "
    "Korean MFDS pill identification list, Taiwan FDA open data set 42, NIH / NLM C3PI reference images; "
    "the README says where to get them"
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
    except (PillscopeError, ModelError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m index", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="build|search|info|pack|unpack|refresh")

    make = commands.add_parser(
        "build",
        help="import catalogues, look at their photos, write an index",
        description="Imports the catalogues, cuts and embeds every photo, reads the imprint of items whose table "
        "states none, and writes catalog.sqlite, vectors.faiss and manifest.json in one step. A stopped build goes "
        "on where it was: what the models said is cached per photo.",
    )
    make.add_argument("--data", type=Path, default=os.environ.get("PILLSCOPE_DATA"), help=DATA_HELP)
    make.add_argument("--out", type=Path, default=SHIPPED, help="folder of the index (default: the shipped one)")
    make.add_argument("--catalogs", default="us-nih,tw-tfda,kr-mfds", help="which of the three (default: all)")
    make.add_argument(
        "--table",
        type=Path,
        action="append",
        default=[],
        metavar="FILE.csv",
        help="a catalogue of your own, its id being the file's name; photos are looked for beside it. Columns: "
        + ",".join(table.COLUMNS),
    )
    make.add_argument("--skip-photos", action="store_true", help="facts only: no model is needed")
    make.add_argument("--skip-ocr", action="store_true", help="do not read imprints from photos (the slow part)")
    make.add_argument("--read-all", action="store_true", help="read also the photos of items whose imprint is known")
    make.add_argument(
        "--disagreements", type=Path, metavar="FILE.csv", help="list here what photos and tables disagree on"
    )
    make.add_argument(
        "--engine",
        choices=("local", "ray"),
        default="local",
        help="who looks at the photos: processes of this host (default), or a Ray cluster (RAY_ADDRESS; the extra ray)",
    )
    make.add_argument("--workers", type=int, default=1, help="processes, or actors, of one core each (default: 1)")
    make.add_argument(
        "--shards", type=Path, default=SHARDS, help=f"Parquet files of --engine ray, reused (default: {SHARDS})"
    )
    make.add_argument("--storage", choices=("float32", "float16", "uint8"), default="float16", help="of the vectors")
    make.add_argument(
        "--method",
        choices=("exact", "hnsw", "ivfpq"),
        default="exact",
        help="how the nearest vectors are found: all compared (default), or from about a million on by a graph, or in "
        "lists of short codes with the best compared once more",
    )
    make.add_argument("--cache", type=Path, default=CACHE, help=f"what is known already (default: {CACHE})")
    make.add_argument("--models", type=Path, default=None, help="folder of the models (default: the shipped one)")
    make.add_argument(
        "--max-rejected",
        type=float,
        default=MAX_REJECTED_SHARE,
        help="share of unusable rows from which a file is refused",
    )
    make.set_defaults(run=_build)

    ask = commands.add_parser("search", help="find items by photo, imprint or name")
    what = ask.add_mutually_exclusive_group(required=True)
    what.add_argument("--photo", type=Path, help="a photo of one pill: nearest reference photos")
    what.add_argument("--imprint", help="what is on the pill")
    what.add_argument("--name", help="product, ingredient or maker")
    ask.add_argument("--index", type=Path, default=SHIPPED, help="folder of the index")
    ask.add_argument("--catalogs", help="ids, divided by commas (default: all)")
    ask.add_argument("--models", type=Path, default=None, help="folder of the models")
    ask.add_argument("-k", type=int, default=10, help="how many (default: 10)")
    ask.set_defaults(run=_search)

    tell = commands.add_parser("info", help="what an index holds, from where, and how it was made")
    tell.add_argument("--index", type=Path, default=SHIPPED, help="folder of the index")
    tell.set_defaults(run=_info)

    carry = commands.add_parser("pack", help="an index as one file, to carry to another host")
    carry.add_argument("bundle", help="the file to write, such as index.zip, or s3://BUCKET/index.zip (the extra s3)")
    carry.add_argument("--index", type=Path, default=SHIPPED, help="folder of the index")
    carry.set_defaults(run=lambda options: send(options.index, options.bundle))

    take = commands.add_parser("unpack", help="put a packed index in its place, checked byte for byte")
    take.add_argument("bundle", help="the file, or its address in a store, such as s3://BUCKET/index.zip")
    take.add_argument("--out", type=Path, required=True, help="folder of the index, replaced as a whole")
    take.set_defaults(run=_unpack)

    renew = commands.add_parser("refresh", help="let the embedder of today see own items that an older one saw")
    renew.add_argument("--own", type=Path, required=True, help="folder of own items (PILLSCOPE_OWN_DIR)")
    renew.add_argument("--models", type=Path, default=None, help="folder of the models")
    renew.set_defaults(run=_refresh)
    return parser


def _unpack(options: argparse.Namespace) -> None:
    with fetched(options.bundle) as bundle:
        print(f"{options.out}: version {unpack(bundle, options.out).version}")


def _refresh(options: argparse.Namespace) -> None:
    from runners.embedder import Embedder  # noqa: PLC0415  # see `_runners`
    from runners.session import model_versions  # noqa: PLC0415

    if not (options.own / FILE).is_file():  # a folder mistyped must not become one of own items
        raise PillscopeError(f"{options.own}: no items of your own are kept here (PILLSCOPE_OWN_DIR)")
    create(options.own)
    model = model_versions(options.models)["embedder"]
    embedder = Embedder.open(options.models)
    faces = stale_faces(options.own, model)
    seen = [(number, embedder.embed(read_cutout(picture)[None])[0, 0]) for number, picture in faces]
    renew_faces(options.own, model, seen)
    print(f"{options.own}: {len(seen)} faces seen anew")


def _build(options: argparse.Namespace) -> None:
    parts = _parts(options)
    for part in parts:
        _report(part.catalog)
    photos_needed = not options.skip_photos and any(part.photos for part in parts)
    models: dict[str, str] = {}
    facts = {}
    if photos_needed:
        models = {name: entry.sha256 for name, entry in read_manifest(options.models or MODELS_DIR).models.items()}
        read: WhatToRead = "nothing" if options.skip_ocr else "all" if options.read_all else "missing"
        studied = _study(options, photo_jobs(parts, read))
        facts = studied.facts
        for path, reason in studied.unreadable.items():
            print(f"  unreadable photo {path.name}: {reason}")
        models.pop("classifier", None)  # took no part
        if options.disagreements is not None:
            _list_disagreements(parts, facts, options.disagreements)
    recipe = Recipe(options.storage, models, _command(), options.method, options.workers)
    manifest = build(parts, facts, options.out, recipe)
    for name, entry in manifest.catalogs.items():
        print(f"{name}: {entry.items} items, {entry.with_photo} with photo, imprints {entry.imprints}")
    size = sum(file.bytes for file in manifest.files.values()) / 1e6
    print(f"{options.out}: version {manifest.index}, {manifest.vectors.count} vectors, {size:.1f} MB")


def _study(options: argparse.Namespace, jobs: Sequence[PhotoJob]) -> Studied:
    """What the models say of all photos, by the chosen engine."""
    if options.engine == "local":
        return study_in_pool(jobs, Workplace(options.models, options.cache), options.workers, _progress)
    try:
        from index.engines.ray_data import study_with_ray  # noqa: PLC0415  # an extra: 300 MB
    except ImportError as error:
        raise PillscopeError(f"--engine ray needs the extra: pip install -e .[ray] ({error})") from error
    return study_with_ray(jobs, options.models, options.shards, options.workers, _progress)


def _list_disagreements(parts: Sequence[Part], facts: Mapping[Path, Sequence[FaceFacts]], path: Path) -> None:
    found = [
        one
        for part in parts
        if part.photos is not None
        for one in disagreements(
            ((f"{part.catalog.source.id}:{i.key}", i) for i in part.catalog.items), part.photos, facts
        )
    ]
    write_disagreements(path, found)
    print(f"{path}: {len(found)} items whose photos say something else than their table")


def _runners(models: Path | None) -> Runners:
    from runners.local import load_local_runners  # noqa: PLC0415  # takes seconds, and most commands need no model

    return load_local_runners(models)


def _parts(options: argparse.Namespace) -> list[Part]:
    wanted = [name for name in options.catalogs.split(",") if name]
    share = options.max_rejected
    parts = []
    if wanted and options.data is None:
        raise PillscopeError("say where the catalogues are: --data FOLDER or PILLSCOPE_DATA. " + DATA_HELP)
    for name in wanted:
        data = Path(options.data)
        tables = data / "catalogs"
        if name == us_nih.ID:
            parts.append(Part(us_nih.load(tables / "us_nih.csv", max_rejected_share=share), data / "nih" / "crops"))
        elif name == tw_tfda.ID:
            parts.append(Part(tw_tfda.load(tables / "tw_tfda.csv", max_rejected_share=share), data / "tfda" / "img"))
        elif name == kr_mfds.ID:
            parts.append(Part(kr_mfds.load(tables / "kr_mfds.csv.gz", max_rejected_share=share), None))
        else:
            raise PillscopeError(f"no catalogue is called {name!r}; a file of your own goes with --table")
    for path in options.table:
        source = Source(path.stem, path.stem, path.name, "as its owner says", date.today().isoformat())
        parts.append(Part(table.load(path, source, max_rejected_share=share), path.parent))
    if options.skip_photos:
        parts = [Part(part.catalog, None) for part in parts]
    return parts


def _report(catalog: Catalog) -> None:
    print(f"{catalog.source.id}: {len(catalog.items)} items read, {len(catalog.rejections)} rows rejected")
    for rejection in catalog.rejections[:10]:
        print(f"  line {rejection.line}: {rejection.reason}")
    for (kind, word), count in catalog.unknown_words.most_common(10):
        print(f"  {kind}: no word of ours for {word!r} ({count} times)")


def _progress(text: str) -> None:
    print(text, end="\n" if not sys.stdout.isatty() else "\r", flush=True)


def _command() -> str:
    """How this build was called, without the paths of the machine it ran on."""
    words = [Path(word).name if "/" in word else word for word in sys.argv[1:]]
    return shlex.join(["python", "-m", "index", *words])


def _search(options: argparse.Namespace) -> None:
    index = LoadedIndex(options.index)
    catalogs = options.catalogs.split(",") if options.catalogs else None
    if options.photo:
        for row, cosine in asyncio.run(_nearest(index, options.photo, options.models, catalogs, options.k)):
            print(f"{cosine:6.3f}  {_line(index.item(row))}")
        return
    agreement = index.search_imprint(options.imprint) if options.imprint else index.search_name(options.name)
    agreement = np.where(index.in_catalogs(catalogs), agreement, 0)
    for row in np.argsort(-agreement, kind="stable")[: options.k]:
        if agreement[row] > 0:
            print(f"{agreement[row]:6.3f}  {_line(index.item(int(row)))}")


async def _nearest(
    index: LoadedIndex, path: Path, models: Path | None, catalogs: Sequence[str] | None, k: int
) -> list[tuple[int, float]]:
    """Rows and cosines of the k items whose photos look most like the pill in a photo."""
    photo = read_photo(await asyncio.to_thread(path.read_bytes)).pixels
    runners = _runners(models)
    faces = await find_faces(photo, runners.detector, runners.background, most=1)
    if not faces:
        raise PillscopeError("no pill was found in the photo")
    (vectors,) = await runners.embedder.embed(faces[0].cut_out(photo)[None])
    rows = index.nearest(vectors, k, catalogs)
    cosines = np.nanmax(index.similarities(vectors, rows), axis=1)
    return list(zip(rows.tolist(), cosines.tolist(), strict=True))


def _line(item: CatalogItem) -> str:
    imprint = " | ".join(side or "-" for side in (item.imprint_front, item.imprint_back) if side is not None)
    look = " ".join(filter(None, ["/".join(item.colors), item.shape, item.form]))
    return f"{item.item_id}  {item.name}  [{imprint or '?'}]  {look}"


def _info(options: argparse.Namespace) -> None:
    started = time.perf_counter()
    index = LoadedIndex(options.index)
    seconds = time.perf_counter() - started
    manifest = index.manifest
    print(f"version   {manifest.index}\nitems     {len(index)}\nvectors   {manifest.vectors.count} x "
          f"{manifest.vectors.dimension}, {manifest.vectors.storage}, {manifest.vectors.method}\n"
          f"loaded in {seconds:.2f} s\n"
          f"made by   {manifest.command}")  # fmt: skip
    for name, sha256 in manifest.models.items():
        print(f"model     {name} {sha256[:12]}")
    for name, file in manifest.files.items():
        print(f"file      {name} {file.bytes / 1e6:.1f} MB, sha256 {file.sha256}")
    for name, info in index.tables.catalogs.items():
        entry = manifest.catalogs[name]
        print(
            f"\n{name}: {info.source.title}\n  {info.source.attribution}\n  {info.source.terms}\n"
            f"  data of {info.source.date or 'unknown date'}; {info.rows} items, {entry.with_photo} with photo, "
            f"imprints: {', '.join(f'{count} {source}' for source, count in entry.imprints.items())}"
        )


if __name__ == "__main__":
    sys.exit(main())
