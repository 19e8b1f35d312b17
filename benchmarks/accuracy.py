"""`python -m benchmarks accuracy --data DIR`: every model and the whole answer, with n and 95 % intervals."""

import argparse
from pathlib import Path

from benchmarks.answers import answer_rows, in_process, over_http
from benchmarks.attributes import attribute_rows
from benchmarks.detection import detection_rows
from benchmarks.imprint import Catalogue, reader_rows, sets
from benchmarks.masks import mask_rows
from benchmarks.options import parse_with_data
from benchmarks.report import table, write
from benchmarks.retrieval import retrieval_rows
from benchmarks.rows import Row
from pipeline.__main__ import load_pipeline
from pipeline.settings import settings
from runners.detector import Detector
from runners.ocr import Reader

PARTS = ("detector", "mask", "classifier", "retrieval", "ocr", "answer")


def measure(part: str, data: Path, url: str | None) -> list[Row]:
    """Rows of one part."""
    models = settings().models_dir
    if part == "detector":
        return detection_rows(Detector.open(models), data)
    if part == "mask":
        return mask_rows(data, models)
    if part == "classifier":
        return attribute_rows(data, models)
    if part == "ocr":
        return reader_rows("ours", Reader.open(models).read, sets(data, models, "held-out"), Catalogue(data))[0]
    if part == "retrieval":
        return retrieval_rows(data, settings().index_dir, models, ("consumer",))
    ask = over_http(url) if url else in_process(load_pipeline())
    return answer_rows(ask, data, "through the service" if url else "in process")


def main(argv: list[str]) -> None:
    """Entry of `python -m benchmarks accuracy`."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks accuracy", description=__doc__)
    parser.add_argument("--part", choices=PARTS, action="append", help="only this part (may be repeated); default all")
    parser.add_argument("--url", help="ask a running service for the whole answer, e.g. http://localhost:3000")
    arguments = parse_with_data(parser, argv)
    rows: list[Row] = []
    for part in arguments.part or PARTS:
        found = measure(part, arguments.data, arguments.url)
        print(table(found), flush=True)
        rows += found
    name = "accuracy" if not arguments.part else "accuracy_" + "_".join(arguments.part)
    command = " ".join(["python -m benchmarks accuracy --data DIR", *(f"--part {p}" for p in arguments.part or [])])
    print(f"written to {write(name, 'Accuracy', command, rows)}")
