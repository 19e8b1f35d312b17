"""What a person is told was read on one side: of all turns a pill was read in, the lines of the most believable."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

from pipeline.reading_order import in_reading_order
from pipeline.schemas import Reading


@dataclass(frozen=True, slots=True)
class Transcript:
    """`lines` in reading order; `confidence`: the chance that all of them are right, 0 where nothing was read."""

    lines: tuple[Reading, ...]
    confidence: float

    @property
    def text(self) -> str:
        return " ".join(line.text for line in self.lines)


def transcript(readings: Sequence[Reading]) -> Transcript:
    """The turn whose lines hold the most letters, each weighed by its confidence."""
    turns: dict[int, list[Reading]] = {}
    for reading in readings:
        turns.setdefault(reading.rotation, []).append(reading)
    if not turns:
        return Transcript((), 0.0)
    best = max(turns.values(), key=lambda lines: sum(line.confidence * len(line.text) for line in lines))
    ordered = in_reading_order(best, lambda line: (line.box[0], line.box[1], line.box[2], line.box[3]))
    return Transcript(tuple(ordered), prod(line.confidence for line in ordered))
