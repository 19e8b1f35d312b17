"""Which letters the shipped reader takes for which: `python -m training confusions --data DIR`.

On real lines of training and tuning pills its letters are nearly all right (8 in 1,000 wrong), too few to count. So
each labelled line is shown again as another lamp, lens and detector might have shown it, and the letters are counted
that then come out wrong. The table it prints is `pipeline.imprint_confusions.MEASURED`.
"""

import argparse
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from rapidfuzz.distance import Levenshtein

from pipeline.imprint_text import bare, normalise
from runners.ocr import Reader
from training.real_lines import LabelledLine, label, view
from training.two_teachers import readings

VIEWS: Final = 8
"""Looks at each line."""
NEAR: Final = 0.34
"""Share of a text's letters up to which it counts as the same text misread; beyond, letters cannot be paired."""
OFTEN: Final = 3
"""Times from which a pair is listed."""

Pair = tuple[str, str]


def misread(reader: Reader, lines: Sequence[LabelledLine]) -> tuple[Counter[Pair], Counter[str]]:
    """((read, meant): times) and how often each letter was meant, "" = none, over all texts nearly right."""
    pairs: Counter[Pair] = Counter()
    meant: Counter[str] = Counter()
    rng = np.random.default_rng(5)
    for _ in range(VIEWS):
        for line, said in zip(lines, reader.recognizer.read([view(line, rng) for line in lines]), strict=True):
            truth = "".join(map(bare, normalise(line.text)))
            for read, letter in aligned("".join(map(bare, normalise(said.text))), truth):
                meant[letter] += 1
                if read != letter:
                    pairs[read, letter] += 1
    return pairs, meant


def aligned(read: str, truth: str) -> Iterator[Pair]:
    """Letters of a text and those that were meant, "" for none; nothing where the texts have too little in common."""
    if Levenshtein.distance(read, truth) > NEAR * len(truth):
        return
    for step in Levenshtein.opcodes(read, truth):
        said, wanted = read[step.src_start : step.src_end], truth[step.dest_start : step.dest_end]
        for n in range(max(len(said), len(wanted))):
            yield said[n : n + 1], wanted[n : n + 1]


def main(argv: list[str]) -> None:
    """Command line: see `--help`."""
    parser = argparse.ArgumentParser(prog="python -m training confusions", description=__doc__)
    parser.add_argument("--data", type=Path, default=os.environ.get("PILLSCOPE_DATA"), help="folder with the pill data")
    options = parser.parse_args(argv)
    if options.data is None:
        parser.error("name the folder with the data: --data DIR or PILLSCOPE_DATA (see README, section Data)")
    read = readings(options.data, 0, Path("runs") / "whole_face")["nih"]
    lines = [line for faces in read for face in faces for line in label(face) if line.text]
    pairs, meant = misread(Reader.open(None), lines)
    wrong = sum(pairs.values())
    print(f"# {len(lines)} lines, {sum(meant.values())} letters, {wrong} wrong")
    for (read, letter), times in pairs.most_common():
        if times >= OFTEN:
            print(f'    ("{read}", "{letter}", {times}, {meant[letter]}),')
