"""How sure a person may be of what was read on a photo of theirs.

The reader's confidence is calibrated on reference photos, for which it stays as it is: they make the index. What the
same confidence is worth on photos that people take is fitted by `python -m training ranking` with the other weights.
The matcher takes the reader's own: it has a table of its own for doubt (`pipeline.imprint`).
"""

import numpy as np

from pipeline.no_imprint import log_odds
from pipeline.ranking import RankingWeights


def chance_on_photo(confidence: float, weights: RankingWeights) -> float:
    """[0, 1]: the chance that what was read on a person's photo is right, by the reader's confidence, [0, 1]."""
    return float(1 / (1 + np.exp(-(weights.read_bias + weights.read_evidence * log_odds(confidence)))))
