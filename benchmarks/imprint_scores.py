"""How good readings are: tokens found, whole imprints read exactly, how far confidence can be trusted, time."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from benchmarks.imprint_sets import Pill
from benchmarks.rows import Row, share_row
from pipeline.imprint_text import fold, normalise
from pipeline.schemas import Reading
from pipeline.transcript import transcript
from training.read_confidence import made_of

PART: Final = "ocr"
THRESHOLDS: Final = (0.0, 0.5, 0.8, 0.9, 0.95)

Readings = Sequence[Reading]


@dataclass(frozen=True, slots=True, eq=False)
class ReadPill:
    """A pill and what was read on each of its faces."""

    pill: Pill
    sides: tuple[Readings, ...]

    @property
    def tokens_found(self) -> int:
        """Tokens read in any turn, alone or as neighbouring words of one line, look-alikes merged."""
        read = set()
        for reading in (reading for side in self.sides for reading in side):
            words = [fold(word) for word in normalise(reading.text)]
            read |= {"".join(words[a:b]) for a in range(len(words)) for b in range(a + 1, min(a + 3, len(words)) + 1)}
        return sum(fold(token) in read for token in self.pill.tokens)

    @property
    def exact(self) -> bool:
        """Whether the transcripts hold every token and nothing else; what is printed twice may be read twice."""
        tokens = [fold(token) for token in self.pill.tokens]
        texts = [fold("".join(normalise(transcript(side).text))) for side in self.sides]
        return all(any(token in text for text in texts) for token in tokens) and all(
            made_of(text, tokens) for text in texts
        )

    @property
    def overlap(self) -> tuple[float, float]:
        """Jaccard index and precision of the transcripts' tokens."""
        wanted = {fold(token) for token in self.pill.tokens}
        said = {fold(word) for side in self.sides for word in normalise(transcript(side).text)}
        both = len(wanted & said)
        return both / max(len(wanted | said), 1), both / max(len(said), 1)

    @property
    def confidence(self) -> float:
        """Of the least sure face on which something was read; 0 where nothing was."""
        return min((transcript(side).confidence for side in self.sides if side), default=0.0)


def reading_rows(pills: Sequence[ReadPill], dataset: str) -> list[Row]:
    """Token recall (tokens of one pill are not independent: its interval is a little too narrow), whole imprints."""
    found = [pill.tokens_found for pill in pills]
    wanted = [len(pill.pill.tokens) for pill in pills]
    every = sum(a == b for a, b in zip(found, wanted, strict=True))
    return [
        share_row(PART, dataset, "token recall", sum(found), sum(wanted), unit="tokens"),
        share_row(PART, dataset, "all tokens read, in any turn", every, len(pills), unit="pills"),
        share_row(PART, dataset, "exact", sum(pill.exact for pill in pills), len(pills), unit="pills"),
    ]


def confidence_table(sets: Iterable[tuple[str, Sequence[ReadPill]]]) -> str:
    """Markdown: of the pills whose confidence reaches a threshold, how many are read right."""
    lines = ["| data | confidence | pills | exact | Jaccard >= 0.5 | precision >= 0.5 |", "|---|---|---|---|---|---|"]
    for name, pills in sets:
        for threshold in THRESHOLDS:
            sure = [pill for pill in pills if pill.confidence >= threshold and any(pill.sides)]
            if not sure:
                continue
            overlap = np.array([pill.overlap for pill in sure])
            exact = float(np.mean([pill.exact for pill in sure]))
            share = f"{len(sure)} of {len(pills)}"
            jaccard, precision = (float((overlap[:, i] >= 0.5).mean()) for i in (0, 1))
            lines.append(f"| {name} | >= {threshold:.2f} | {share} | {exact:.3f} | {jaccard:.3f} | {precision:.3f} |")
    return "\n".join(lines)
