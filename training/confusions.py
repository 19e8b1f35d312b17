"""Which letters the shipped reader takes for which: `python -m training confusions --data DIR`.

On real lines of training and tuning pills its letters are nearly all right (8 in 1,000 wrong), too few to count. So
each labelled line is shown again as another lamp, lens and detector might have shown it, and the letters are counted
that then come out wrong; and once more upside down, where a letter is looked for at the other end. Hangul, of which no
real photo with a label is to be had, is counted on drawn lines, in words and fonts that nothing was trained on: 300
syllables make 90,000 pairs, so that a wrong one counts by which of its jamo differ. What is counted is written to
`pipeline.imprint_confusions.TABLE`, from where the matcher has it.
"""

import argparse
import csv
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import yaml
from numpy.typing import NDArray
from rapidfuzz.distance import Levenshtein

from pipeline.imprint_confusions import JAMO, LETTERS, TABLE, Counted, differing
from pipeline.imprint_text import bare, is_hangul, normalise
from runners.ocr import Reader
from runners.ocr_recognizer import LineRecognizer
from training.drawn_lines import Fonts, draw_line
from training.real_lines import LabelledLine, label, view
from training.rendering.typeface import installed, latin_fonts
from training.signs import catalogue_words, kept_out
from training.two_teachers import readings

UInt8 = NDArray[np.uint8]

CONFIG: Final = Path(__file__).parent.parent / "configs" / "reader.yaml"
VIEWS: Final = 8
"""Looks at each line."""
NEAR: Final = 0.34
"""Share of a text's letters up to which it counts as the same text misread; beyond, letters cannot be paired."""
OFTEN: Final = 3
"""Times from which a pair is listed."""
HANGUL_LINES: Final = 3000

Pair = tuple[str, str]


def upright(recognizer: LineRecognizer, lines: Sequence[LabelledLine]) -> list[Counted]:
    """Pairs of letters, over all texts nearly right, and how often a letter is dropped or added."""
    pairs: Counter[Pair] = Counter()
    meant: Counter[str] = Counter()
    rng = np.random.default_rng(5)
    for _ in range(VIEWS):
        for truth, said in _said(recognizer, lines, [view(line, rng) for line in lines]):
            for read, letter in aligned(said, truth):
                meant[letter] += bool(letter)
                pairs[read, letter] += read != letter
    dropped = sum(times for (read, _), times in pairs.items() if not read)
    added = sum(times for (_, letter), times in pairs.items() if not letter)
    shares = [("dropped", dropped), ("added", added), ("replaced", pairs.total() - dropped - added)]
    return [
        *(Counted("share", name, "", times, meant.total()) for name, times in shares),
        *(c for c in _counted("upright", pairs, meant) if c.meant),
    ]


def upside_down(recognizer: LineRecognizer, lines: Sequence[LabelledLine]) -> list[Counted]:
    """How often anything is read on a line that lies upside down, how often as many letters as there are, and which.

    Only where the numbers agree can letters be paired: what is read there has little to do with what is meant."""
    pairs: Counter[Pair] = Counter()
    meant: Counter[str] = Counter()
    spoken = same = 0
    rng = np.random.default_rng(6)
    for _ in range(VIEWS):
        turned = [np.ascontiguousarray(np.rot90(view(line, rng), 2)) for line in lines]
        for truth, said in _said(recognizer, lines, turned):
            spoken += bool(said)
            if said and len(said) == len(truth):
                same += 1
                meant.update(truth)
                pairs.update(zip(said, reversed(truth), strict=True))
    of = VIEWS * len(lines)
    return [
        Counted("share", "turned, read", "", spoken, of),
        Counted("share", "turned, as many letters", "", same, of),
        *_counted("turned", pairs, meant),
    ]


def hangul(recognizer: LineRecognizer, lines: Sequence[tuple[UInt8, str]], syllables: Sequence[str]) -> list[Counted]:
    """Wrong syllables by the jamo that differ. `syllables`: those the reader knows.

    `of`: how many syllables could have been read so, over all that were meant: `times / of` is the chance of one."""
    times: Counter[str] = Counter()
    meant: Counter[str] = Counter()
    dropped = added = strange = 0
    for (_, text), said in zip(lines, recognizer.read([picture for picture, _ in lines]), strict=True):
        read, truth = (bare("".join(normalise(each))) for each in (said.text, text))
        for one, wanted in aligned(read, truth, near=1.0) if read else ():
            if is_hangul(wanted):
                meant[wanted] += 1
                dropped += not one
                strange += bool(one) and not is_hangul(one)
                if is_hangul(one) and one != wanted:
                    times[differing(one, wanted)] += 1
            added += not wanted and is_hangul(one)
    ways: Counter[str] = Counter()
    for wanted, count in meant.items():
        for other in syllables:
            ways[differing(other, wanted)] += count * (other != wanted)
    shares = [("hangul dropped", dropped), ("hangul added", added), ("hangul, no syllable", strange)]
    return [
        *(Counted("share", name, "", count, meant.total()) for name, count in shares),
        *(Counted("hangul", kind, "", times[kind], ways[kind]) for kind in JAMO if ways[kind]),
    ]


def _said(
    recognizer: LineRecognizer, lines: Sequence[LabelledLine], pictures: Sequence[UInt8]
) -> Iterator[tuple[str, str]]:
    """(meant, read) of each line, bare letters only."""
    for line, said in zip(lines, recognizer.read(pictures), strict=True):
        truth, read = ("".join(map(bare, normalise(text))) for text in (line.text, said.text))
        yield truth, read


def _counted(kind: str, pairs: Counter[Pair], meant: Counter[str]) -> list[Counted]:
    """The pairs seen often enough, the most frequent first."""
    return [
        Counted(kind, read, letter, times, meant[letter])
        for (read, letter), times in sorted(pairs.items(), key=lambda pair: (-pair[1], pair[0]))
        if times >= OFTEN and letter in LETTERS and read in LETTERS
    ]


def aligned(read: str, truth: str, near: float = NEAR) -> Iterator[Pair]:
    """Letters of a text and those that were meant, "" for none; nothing where the texts have too little in common.

    `near`: share of the truth's letters that may be wrong."""
    if Levenshtein.distance(read, truth) > near * len(truth):
        return
    for step in Levenshtein.opcodes(read, truth):
        said, wanted = read[step.src_start : step.src_end], truth[step.dest_start : step.dest_end]
        for n in range(max(len(said), len(wanted))):
            yield said[n : n + 1], wanted[n : n + 1]


def labelled_lines(data: Path) -> list[LabelledLine]:
    """Lines of training and tuning pills whose text two teachers are sure of; kept in runs/ for the next time."""
    read = readings(data, 0, Path("runs") / "reader")["nih"]
    return [line for faces in read for face in faces for line in label(face) if line.text]


def drawn_hangul(words: Sequence[str]) -> list[tuple[UInt8, str]]:
    """Lines with words that are kept out, in fonts that are; [] where this machine has none of those fonts."""
    hangul_fonts = installed(tuple(yaml.safe_load(CONFIG.read_text(encoding="utf-8"))["kept_out_fonts"]))
    rng = np.random.default_rng(7)
    unseen = [word for word in words if kept_out(word)]
    if not hangul_fonts or not unseen:
        return []
    fonts = Fonts(latin_fonts(), hangul_fonts)
    texts = [unseen[number % len(unseen)] for number in range(HANGUL_LINES)]
    return [(draw_line(text, fonts, rng), text) for text in texts]


def write(counted: Sequence[Counted], path: Path) -> None:
    """As `pipeline.imprint_confusions.load` reads it."""
    with path.open("w", newline="", encoding="utf-8") as handle:
        writer = csv.writer(handle, lineterminator="\n")
        writer.writerow(Counted._fields)
        writer.writerows(counted)


def main(argv: list[str]) -> None:
    """Command line: see `--help`."""
    parser = argparse.ArgumentParser(prog="python -m training confusions", description=__doc__)
    parser.add_argument("--out", type=Path, default=TABLE, help="the file to write")
    parser.add_argument("--data", type=Path, default=os.environ.get("PILLSCOPE_DATA"), help="folder with the pill data")
    options = parser.parse_args(argv)
    if options.data is None:
        parser.error("name the folder with the data: --data DIR or PILLSCOPE_DATA (see README, section Data)")
    recognizer, words = Reader.open(None).recognizer, catalogue_words(options.data)
    lines, drawn = labelled_lines(options.data), drawn_hangul(words.hangul)
    if not drawn:
        parser.error("no Hangul font that is kept out of training is here: apt install fonts-nanum fonts-unfonts-core")
    counted = [
        *upright(recognizer, lines),
        *upside_down(recognizer, lines),
        *hangul(recognizer, drawn, [sign for sign in words.signs if is_hangul(sign)]),
    ]
    write(counted, options.out)
    print(f"{len(lines)} lines of pills in {VIEWS} looks, both ways up; {len(drawn)} drawn lines of Hangul")
    for each in counted:
        if each.kind in ("share", "hangul"):
            print(f"{each.kind:8} {each.read:24} {each.times:7} of {each.of:9} {each.times / max(each.of, 1):.5f}")
    print(f"written to {options.out}")
