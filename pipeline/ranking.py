"""Evidence of one or two sides -> one ranked list of catalogue items with calibrated probabilities -> decision.

Each kind of evidence is a term of a log odds, as in a naive Bayes model: the weighted cosine to the item's photo, the
imprint's log likelihood ratio (`pipeline.imprint`), the log probability of its colour, shape and form. Items that look
the same are one answer. A softmax over all answers and "none of them" gives the probabilities; weights and thresholds
come from `configs/ranking.yaml`, written by `python -m training ranking`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import yaml
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from pipeline.attributes import Attributes
from pipeline.ports import AttributeTable, Float32, Gallery, Int
from pipeline.schemas import Decision, Evidence, Hints, Reading, Reason
from pipeline.vocabulary import COLORS, FORMS, SHAPES

Float64 = NDArray[np.float64]

FLOOR: Final = 0.02
"""Probability of an attribute below which the classifier is not believed: it is wrong about this often."""


class RankingWeights(BaseModel):
    """What turns evidence into probabilities. All log-odds weights are in nats."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    visual: float = Field(description="per unit of cosine")
    no_photo: float = Field(description="cosine assumed for an item's side without a photo")
    imprint: float = Field(description="per nat of the imprint's log likelihood ratio")
    blank: float = Field(description="per nat of (no) imprint seen where the catalogue knows which it is")
    color: float = Field(description="per nat of the colours' log probability")
    shape: float = Field(description="per nat of the shape's log probability")
    form: float = Field(description="per nat of the form's log probability")
    hint: float = Field(description="nats for full agreement with what a person typed")
    none_of_them: float = Field(description="log odds of 'not in the catalogue', one side seen")
    none_of_them_two: float = Field(description="the same with two sides seen")
    identified: float = Field(ge=0, le=1, description="probability from which an answer may count as identified")
    readable: float = Field(description="nats of imprint evidence that count as a readable imprint")
    distinctive: float = Field(description="lead in cosine over every other look that counts as one of a kind")
    unidentified: float = Field(ge=0, le=1, description="probability of 'none' from which no candidates are shown")
    shortlist: int = Field(ge=10, description="items taken from each kind of evidence")
    read_bias: float = Field(
        description="log odds that what was read on a person's photo is right, if even to the reader"
    )
    read_evidence: float = Field(ge=0, description="the same per unit of the reader's own log odds")

    @classmethod
    def load(cls, path: Path) -> "RankingWeights":
        """Read the YAML file; raises pydantic.ValidationError when a weight is missing or unknown."""
        return cls.model_validate(yaml.safe_load(path.read_text(encoding="utf-8"))["weights"])


@dataclass(frozen=True, slots=True)
class SideEvidence:
    """What the runners said of one photo; None = that runner gave nothing."""

    vectors: Float32 | None  # (R, D)
    readings: Sequence[Reading] | None
    attributes: Attributes | None


@dataclass(frozen=True, slots=True)
class Terms:
    """The evidence for each item of a shortlist before weighting: what fitting the weights needs.

    Arrays over n items and q seen sides; `swap` holds, for two seen sides, nothing: assignments are tried in `total`.
    """

    rows: Int  # (n,)
    group: Int  # (n,)
    cosine: Float64  # (n, q, 2): item's front, back; NaN without photo
    imprint: Float64  # (n, q, 2) nats
    agreement: Float64  # (n, q, 2) [0, 1]
    strength: Float64  # (n, q, 2) nats
    blank: Float64  # (n, q, 2) nats
    color: Float64  # (n,) nats, 0 where the catalogue does not say
    shape: Float64  # (n,)
    form: Float64  # (n,)
    hint: Float64  # (n,) [0, 1]
    probability: dict[str, Float64]  # color, shape, form: (n,) probability for the answer, NaN = not known


@dataclass(frozen=True, slots=True)
class Scored:
    """One answer: an item standing for its appearance group."""

    row: int
    probability: float
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Ranking:
    """All answers, most probable first, and what is left for 'none of them'."""

    answers: list[Scored]
    none_of_them: float
    decision: Decision
    reason: Reason | None


def gather(gallery: Gallery, sides: Sequence[SideEvidence], hints: Hints, catalogs: Sequence[str] | None,
           shortlist: int) -> Terms:  # fmt: skip
    """Collect the evidence for every item that some evidence speaks for."""
    allowed = gallery.in_catalogs(catalogs)
    chosen: list[Int] = []
    matches = [gallery.match_imprint(side.readings) if side.readings else None for side in sides]
    for side, match in zip(sides, matches, strict=True):
        if side.vectors is not None:
            chosen.append(gallery.nearest(side.vectors, shortlist, catalogs))
        if match is not None:
            best = np.where(allowed, match.llr.max(axis=1), -np.inf)
            chosen.append(_top(best, shortlist, above=0.0))
    typed = gallery.search_imprint(hints.imprint) if hints.imprint else None
    if typed is not None:
        chosen.append(_top(np.where(allowed, typed, -np.inf), shortlist, above=0.3))
    rows = np.unique(np.concatenate(chosen)) if chosen else np.zeros(0, np.int64)
    if not len(rows):  # neither look nor letters: every item stays possible by colour and shape
        rows = np.flatnonzero(allowed)
    table = gallery.attributes(rows)
    n, q = len(rows), len(sides)
    cosine = np.full((n, q, 2), np.nan)
    imprint, agreement, strength, blank = (np.zeros((n, q, 2)) for _ in range(4))
    for i, (side, match) in enumerate(zip(sides, matches, strict=True)):
        if side.vectors is not None:
            cosine[:, i] = gallery.similarities(side.vectors, rows)
        if match is not None:
            imprint[:, i], agreement[:, i], strength[:, i] = (
                match.llr[rows],
                match.agreement[rows],
                match.strength[rows],
            )
        if side.attributes is not None:
            blank[:, i] = _blank_term(gallery.blank(rows), side.attributes.imprinted)
    probability = attribute_probabilities(table, [s.attributes for s in sides if s.attributes is not None])
    return Terms(
        rows=rows, group=table.group, cosine=cosine, imprint=imprint, agreement=agreement, strength=strength,
        blank=blank, hint=_hint_agreement(table, typed[rows] if typed is not None else None, hints),
        color=_log(probability["color"]), shape=_log(probability["shape"]), form=_log(probability["form"]),
        probability=probability,
    )  # fmt: skip


def attribute_probabilities(table: AttributeTable, seen: Sequence[Attributes]) -> dict[str, Float64]:
    """Probability that the item's colours, shape and form are what was seen; NaN where either is not known."""
    n = len(table.shape)
    if not seen:
        return {name: np.full(n, np.nan) for name in ("color", "shape", "form")}
    shape = np.mean([[a.shape[s] for s in SHAPES] for a in seen], axis=0)
    form = np.mean([[a.form[f] for f in FORMS] for a in seen], axis=0)
    colors = np.mean([[a.colors[c] for c in COLORS] for a in seen], axis=0)
    bits = (table.colors[:, None] >> np.arange(len(COLORS))) & 1
    count = bits.sum(axis=1)
    present = (bits @ colors) / np.maximum(count, 1)  # how sure its colours are there
    explained = (bits @ colors) / max(float(colors.sum()), 1e-6)  # how much of what was seen it accounts for
    color = np.sqrt(present * np.clip(explained, 0, 1))
    return {
        "color": np.where(count > 0, color, np.nan),
        "shape": np.where(table.shape >= 0, shape[table.shape], np.nan),
        "form": np.where(table.form >= 0, form[table.form], np.nan),
    }


def side_terms(terms: Terms, weights: RankingWeights) -> Float64:
    """(n, q, 2) nats: what each seen side says for the item's front and back."""
    cosine = np.where(np.isnan(terms.cosine), weights.no_photo, terms.cosine)
    return np.asarray(weights.visual * cosine + weights.imprint * terms.imprint + weights.blank * terms.blank)


def total(terms: Terms, weights: RankingWeights) -> tuple[Float64, Int]:
    """Log odds of each item, (n,), and which of its sides the first seen side is, (n,): 0 front, 1 back."""
    per_side = side_terms(terms, weights)
    if per_side.shape[1] == 0:
        best, first = np.zeros(len(terms.rows)), np.zeros(len(terms.rows), np.int64)
    elif per_side.shape[1] == 1:
        best, first = per_side[:, 0].max(axis=1), per_side[:, 0].argmax(axis=1)
    else:
        ways = np.stack([per_side[:, 0, 0] + per_side[:, 1, 1], per_side[:, 0, 1] + per_side[:, 1, 0]], axis=1)
        best, first = ways.max(axis=1), ways.argmax(axis=1)
    rest = weights.color * terms.color + weights.shape * terms.shape + weights.form * terms.form
    return best + rest + weights.hint * terms.hint, first


def rank(gallery: Gallery, sides: Sequence[SideEvidence], hints: Hints, catalogs: Sequence[str] | None,
         weights: RankingWeights, *, limit: int) -> Ranking:  # fmt: skip
    """The `limit` most probable answers, and the decision."""
    terms = gather(gallery, sides, hints, catalogs, weights.shortlist)
    logits, first = total(terms, weights)
    order = np.argsort(-logits, kind="stable")
    _, place = np.unique(terms.group[order], return_index=True)
    leaders = order[np.sort(place)]  # the best item of each appearance group, best group first
    none_logit = weights.none_of_them if len(sides) < 2 else weights.none_of_them_two
    scores = np.concatenate([logits[leaders], [none_logit]])
    probabilities = np.exp(scores - scores.max())
    probabilities /= probabilities.sum()
    answers = [
        Scored(int(terms.rows[i]), float(p), _evidence(terms, int(i), int(first[i])))
        for i, p in zip(leaders[:limit], probabilities, strict=False)
    ]
    none = float(probabilities[-1])
    decision, reason = decide(terms, leaders, first, probabilities, weights)
    if decision == "identified" and not one_medicine(gallery, answers[0].row):
        decision = "candidates"
    return Ranking(answers, none, decision, reason)


def decide(terms: Terms, leaders: Int, first: Int, probabilities: Float64,
           weights: RankingWeights) -> tuple[Decision, Reason | None]:  # fmt: skip
    """Identified, candidates or unidentified.

    Probability alone never identifies: the look-alike without an imprint is the one mistake that harms. There must be
    an imprint that was read and agrees, or a look that no other item of the catalogues comes near.
    """
    if not len(leaders) or probabilities[-1] >= weights.unidentified:
        return "unidentified", "not_in_catalog"
    top = int(leaders[0])
    if probabilities[0] < weights.identified:
        return "candidates", None
    seen = range(terms.cosine.shape[1])
    columns = [int(first[top]) if i == 0 else 1 - int(first[top]) for i in seen]
    strength = max((terms.strength[top, i, c] for i, c in zip(seen, columns, strict=True)), default=0.0)
    agreement = max((terms.agreement[top, i, c] for i, c in zip(seen, columns, strict=True)), default=0.0)
    readable = strength >= weights.readable and agreement >= 0.5
    cosine = np.nan_to_num(np.nanmax(_or_nan(terms.cosine), axis=(1, 2)), nan=-1.0)
    others = cosine[terms.group != terms.group[top]]
    lead = float(cosine[top] - others.max()) if len(others) else 0.0
    return ("identified", None) if readable or lead >= weights.distinctive else ("candidates", None)


def one_medicine(gallery: Gallery, row: int) -> bool:
    """Whether the item and all that look the same are known to hold the same: else the look alone names no medicine."""
    item = gallery.item(row)
    if not item.same_appearance:
        return True
    stated = {other.ingredient for other in (item, *map(gallery.find, item.same_appearance)) if other.ingredient}
    return len({ingredient.casefold() for ingredient in stated}) == 1


def _evidence(terms: Terms, i: int, first: int) -> Evidence:
    """The agreement of item i with what was seen, each in [0, 1]."""
    columns = [first if side == 0 else 1 - first for side in range(terms.cosine.shape[1])]
    cosines = [terms.cosine[i, side, column] for side, column in enumerate(columns)]
    agreements = [terms.agreement[i, side, column] for side, column in enumerate(columns)]
    known = [c for c in cosines if not np.isnan(c)]
    attribute = {name: None if np.isnan(p[i]) else _share(p[i]) for name, p in terms.probability.items()}
    return Evidence(
        visual=_share(float(np.mean(known))) if known else None,
        imprint=_share(float(np.mean(agreements))) if np.any(terms.imprint) else None,
        color=attribute["color"], shape=attribute["shape"], form=attribute["form"],
    )  # fmt: skip


def _share(value: float) -> float:
    return round(float(np.clip(value, 0, 1)), 4)


def _top(values: NDArray[np.floating], k: int, *, above: float) -> Int:
    """Positions of the k largest values greater than `above`."""
    k = min(k, len(values))
    best = np.argpartition(-values, k - 1)[:k] if k else np.zeros(0, np.int64)
    return np.asarray(best[values[best] > above], np.int64)


def _log(probability: Float64) -> Float64:
    """Nats against a probability of one half; 0 where nothing is known."""
    return np.where(np.isnan(probability), 0.0, np.log((FLOOR + np.nan_to_num(probability)) / (FLOOR + 0.5)))


def _blank_term(blank: Float32, imprinted: float) -> Float64:
    """(n, 2) nats: the classifier's view of "there are letters" against what the catalogue knows of each side."""
    chance = np.where(blank > 0.5, 1 - imprinted, imprinted)
    return np.where(np.isnan(blank), 0.0, np.log((FLOOR + chance) / (FLOOR + 0.5)))


def _hint_agreement(table: AttributeTable, imprint: Float32 | None, hints: Hints) -> Float64:
    """(n,): sum over the hints given of the agreement in [0, 1]; what the catalogue does not say counts half."""
    out = np.zeros(len(table.shape))
    if imprint is not None:
        out += imprint
    if hints.shape in SHAPES:
        out += np.where(table.shape < 0, 0.5, table.shape == SHAPES.index(hints.shape))
    if hints.color in COLORS:
        bit = (table.colors >> COLORS.index(hints.color)) & 1
        out += np.where(table.colors == 0, 0.5, bit)
    return out


def _or_nan(cosine: Float64) -> Float64:
    """The same, with a column of -1 so that `nanmax` has something to find."""
    n = len(cosine)
    return np.concatenate([cosine.reshape(n, -1), np.full((n, 1), -1.0)], axis=1).reshape(n, -1, 1)
