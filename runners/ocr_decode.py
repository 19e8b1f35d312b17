"""What the line recogniser's probabilities say: a text, how sure it is, and what else could stand at each step."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Float32 = NDArray[np.float32]

KEPT: Final = 5
"""Signs kept for each step."""
LEAST: Final = 0.005
"""Probability below which a sign is not kept."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """Chance that a text is right: 1 / (1 + exp(-(bias + evidence * log P(best way) + letters * n))).

    Fitted on pills that neither trained the recogniser nor are reported on.
    """

    bias: float = 4.0
    evidence: float = 2.0
    letters: float = 0.0

    def chance(self, log_probability: float, letters: int) -> float:
        """[0, 1]."""
        odds = self.bias + self.evidence * log_probability + self.letters * min(letters, 6)
        return float(1 / (1 + np.exp(-np.clip(odds, -30, 30))))


@dataclass(frozen=True, slots=True)
class Decoded:
    """`log_probability`: of the likeliest way along the steps, which says `text`; `steps`: as in `Reading`."""

    text: str
    log_probability: float
    steps: list[dict[str, float]]


def decode(chances: Float32, signs: str) -> Decoded:
    """Greedy CTC (repeats merged, blanks dropped) over (T, 1 + signs) probabilities, column 0 = blank."""
    best = chances.argmax(axis=1)
    kept = (best != 0) & np.concatenate([[True], best[1:] != best[:-1]])
    text = " ".join("".join(signs[code - 1] for code in best[kept]).split())
    log_probability = float(np.log(np.maximum(chances.max(axis=1), 1e-6)).sum())
    steps = []
    for row in chances[:, 1:]:
        order = np.argsort(-row)[:KEPT]
        steps.append({signs[code]: round(float(row[code]), 3) for code in order if row[code] >= LEAST})
    return Decoded(text, log_probability, steps)
