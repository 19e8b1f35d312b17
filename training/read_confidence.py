"""What the reader's confidence is worth on photos that people take: a part of `python -m training ranking`.

Read is the most believable text of a side, as a person is shown it; it is right when it is made of the imprint's tokens
and nothing else. Which tokens stand on the side that a photo shows is not known, so that a text which holds but part of
a side counts as right as well. The number of letters tells nothing more (nats lost .554 with it, .549 without).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pipeline.imprint_text import fold, normalise
from pipeline.no_imprint import log_odds
from pipeline.ranking import RankingWeights, SideEvidence
from pipeline.transcript import transcript
from training.consumer import ConsumerPhoto
from training.folds import folds_of
from training.logistic import expected_error, logistic

Float64 = NDArray[np.float64]

FOLDS: Final = 5
BINS: Final = 5
"""Equally full bins of the expected calibration error: the texts are few."""


@dataclass(frozen=True, slots=True)
class TextRead:
    """One text on one photo. `confidence`: the reader's own; `right`: whether it stands on that pill."""

    confidence: float
    right: bool
    pill_group: str


def texts_read(photos: Sequence[ConsumerPhoto], evidence: Mapping[str, SideEvidence]) -> list[TextRead]:
    """Of the photos of pills with a stated imprint on which something was read."""
    texts = []
    for photo in photos:
        tokens = [fold(token) for token in normalise(photo.imprint)]
        said = transcript(evidence[photo.number].readings or ()) if photo.number in evidence else None
        if tokens and said is not None and said.text:
            right = made_of(fold("".join(normalise(said.text))), tokens)
            texts.append(TextRead(said.confidence, right, photo.pill_group))
    return texts


def made_of(text: str, tokens: Sequence[str]) -> bool:
    """Whether a text is nothing but tokens, one after the other; both folded."""
    return not text or any(text.startswith(token) and made_of(text[len(token) :], tokens) for token in tokens if token)


def fit(texts: Sequence[TextRead], weights: RankingWeights) -> RankingWeights:
    """The weights with those of `pipeline.read_confidence.chance_on_photo` fitted."""
    bias, evidence = logistic(features(texts), outcomes(texts))
    return weights.model_copy(update={"read_bias": float(bias), "read_evidence": max(float(evidence), 0.0)})


def cross_validated(texts: Sequence[TextRead], folds: int = FOLDS) -> Float64:
    """(n,) chances, each from a fit without its pill group."""
    own = np.array(folds_of([text.pill_group for text in texts], folds))
    x, right = features(texts), outcomes(texts)
    out = np.zeros(len(texts))
    for number in range(folds):
        weights = logistic(x[own != number], right[own != number])
        out[own == number] = 1 / (1 + np.exp(-x[own == number] @ weights))
    return out


def features(texts: Sequence[TextRead]) -> Float64:
    """(n, 2): 1, log odds by the reader."""
    return np.array([[1.0, log_odds(text.confidence)] for text in texts])


def outcomes(texts: Sequence[TextRead]) -> Float64:
    """(n,): 1 = right."""
    return np.array([float(text.right) for text in texts])


def report(texts: Sequence[TextRead]) -> str:
    """How far stated and true shares lie apart, before and after, and what chances are stated for."""
    right, raw, told = outcomes(texts), np.array([text.confidence for text in texts]), cross_validated(texts)
    lines = [f"texts read on consumer photos, n = {len(texts)}, {right.mean():.3f} right: expected calibration error "
             f"{expected_error(raw, right, BINS):.3f} by the reader, {expected_error(told, right, BINS):.3f} "
             "as told (cross-validated by pill group)"]  # fmt: skip
    for low, high in pairwise((0.0, 0.2, 0.5, 0.8, 1.0)):
        of = (raw >= low) & ((raw < high) | (high == 1.0))
        if of.any():
            lines.append(f"  reader {low:.1f} to {high:.1f}: {of.sum()} texts, mean {raw[of].mean():.3f}, "
                         f"told {told[of].mean():.3f}, right {right[of].mean():.3f}")  # fmt: skip
    return "\n".join(lines)
