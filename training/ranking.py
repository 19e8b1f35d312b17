"""Fit the ranking: `python -m training ranking --data DIR` writes configs/ranking.yaml and its result table.

The evidence of real consumer photos is collected once through the whole pipeline; then seven weights and the odds of
"none of them" are fitted by maximum a posteriori. So few photos allow few parameters and want a prior: the start
values, with the widths below. Beside them, what the reader's confidence is worth on such photos
(`training.read_confidence`). What is reported comes from cross-validation by pill group, never from the fit itself.
"""

import argparse
import asyncio
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

import numpy as np
import yaml
from numpy.typing import NDArray
from scipy.optimize import minimize

from pipeline.__main__ import load_pipeline
from pipeline.identify import Pipeline
from pipeline.ranking import RankingWeights, SideEvidence, Terms, decide, gather, total
from pipeline.schemas import Hints
from training.consumer import ConsumerPhoto, collect, load_photos, pairs, right_answers
from training.folds import folds_of
from training.read_confidence import TextRead, report, texts_read
from training.read_confidence import fit as fit_read

WIDTHS: Final = {
    "visual": 8.0, "no_photo": 0.1, "imprint": 0.3, "blank": 0.2, "color": 0.3, "shape": 0.3, "form": 0.3,
    "none_of_them": 6.0,
}  # fmt: skip
"""Standard deviation of the prior around the start value of each fitted weight."""
POSITIVE: Final = ("visual", "imprint", "blank", "color", "shape", "form")
IN_CATALOGUE: Final = 0.75
"""How many of the pills that people ask about the catalogues are taken to hold: an assumption, since nobody counted."""
FALSE_RATE: Final = 0.005
"""Share of all queries that may be identified wrongly on the development photos, cross-validated: none of about 200.
A wrong "identified" is the worst answer there is; few right ones are the price."""
MARGIN: Final = 0.5
"""The strongest mistake on 200 photos is one draw of many: the threshold leaves half the doubt that it leaves."""
LOST_RATE: Final = 0.01
"""Share of the queries whose right answer is among the first five that may be answered "not in the catalogue"."""
SHOWN: Final = 5
"""Answers that a person is taken to look through."""


@dataclass(frozen=True)
class Query:
    """One question to the ranking: its evidence, and which answers are right (none = not in the gallery)."""

    terms: Terms
    right: NDArray[np.bool_]  # (n,) per shortlisted item
    in_gallery: bool
    pill_group: str
    sides: int

    @cached_property
    def grouped(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
        """Items sorted by appearance group, where each group starts, and which groups are right."""
        order = np.argsort(self.terms.group, kind="stable")
        _, starts = np.unique(self.terms.group[order], return_index=True)
        return order, starts, np.logical_or.reduceat(self.right[order], starts)


def probabilities(query: Query, weights: RankingWeights) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Leading item of each appearance group, best first, and the probability of each and (last) of none."""
    logits, _ = total(query.terms, weights)
    order = np.argsort(-logits, kind="stable")
    _, place = np.unique(query.terms.group[order], return_index=True)
    leaders = order[np.sort(place)]
    none = weights.none_of_them if query.sides == 1 else weights.none_of_them_two
    scores = np.concatenate([logits[leaders], [none]])
    chances = np.exp(scores - scores.max())
    return leaders, chances / chances.sum()


def loss(queries: Sequence[Query], weights: RankingWeights) -> float:
    """Weighted mean negative log probability of the right answer; a right item outside the shortlist teaches nothing.

    Photos of unknown pills are weighted so that they make up 1 - IN_CATALOGUE of all: how many there are among the
    development photos says what was collected, not what people ask.
    """
    known = sum(query.in_gallery for query in queries)
    unknown = len(queries) - known
    share = known * (1 - IN_CATALOGUE) / (unknown * IN_CATALOGUE) if known and unknown else 1.0
    costs, counts = [], []
    for query in queries:
        if query.in_gallery and not query.right.any():
            continue
        logits, _ = total(query.terms, weights)
        order, starts, right = query.grouped
        none = weights.none_of_them if query.sides == 1 else weights.none_of_them_two
        scores = np.append(np.maximum.reduceat(logits[order], starts), none)  # one per look, as in `rank`
        chosen = np.append(right, not query.in_gallery)
        costs.append(np.logaddexp.reduce(scores) - np.logaddexp.reduce(scores[chosen]))
        counts.append(1.0 if query.in_gallery else share)
    return float(np.average(costs, weights=counts)) if counts else 0.0


def fit(queries: Sequence[Query], start: RankingWeights) -> RankingWeights:
    """Maximum a posteriori weights."""
    names = list(WIDTHS)
    origin = np.array([getattr(start, name) for name in names])
    widths = np.array([WIDTHS[name] for name in names])

    def at(z: NDArray[np.float64]) -> RankingWeights:
        values = dict(zip(names, (origin + z * widths).tolist(), strict=True))
        return start.model_copy(update={n: max(v, 0.0) if n in POSITIVE else v for n, v in values.items()})

    def objective(z: NDArray[np.float64]) -> float:
        return loss(queries, at(z)) * len(queries) + 0.5 * float(z @ z)

    found = minimize(objective, np.zeros(len(names)), method="Powell", options={"maxfev": 900, "ftol": 1e-3})
    return at(found.x)


def fit_two_sided(queries: Sequence[Query], weights: RankingWeights) -> RankingWeights:
    """Set the odds of "none" for two photos, everything else kept."""
    if not queries:
        return weights
    grid = np.linspace(weights.none_of_them, 3 * weights.none_of_them, 41)
    losses = [loss(queries, weights.model_copy(update={"none_of_them_two": float(v)})) for v in grid]
    return weights.model_copy(update={"none_of_them_two": float(grid[int(np.argmin(losses))])})


def cross_validated(queries: Sequence[Query], start: RankingWeights, folds: int = 5) -> list[RankingWeights]:
    """For each query, weights fitted without its pill group."""
    own = folds_of([query.pill_group for query in queries], folds)
    fitted = [fit([q for q, fold in zip(queries, own, strict=True) if fold != i], start) for i in range(folds)]
    return [fitted[fold] for fold in own]


def identified_threshold(queries: Sequence[Query], weights: Sequence[RankingWeights]) -> float:
    """The lowest threshold at which at most FALSE_RATE of all queries would be wrongly identified, and MARGIN more."""
    for threshold in np.arange(0.5, 1.0, 0.01):
        wrong = 0
        for query, w in zip(queries, weights, strict=True):
            leaders, chances = probabilities(query, w)
            _, first = total(query.terms, w)
            decision, _ = decide(query.terms, leaders, first, chances, w.model_copy(update={"identified": threshold}))
            wrong += decision == "identified" and not query.right[leaders[0]]
        if wrong <= FALSE_RATE * len(queries):
            return round(1 - MARGIN * (1 - float(threshold)), 2)
    return 0.99


def unidentified_threshold(queries: Sequence[Query], weights: Sequence[RankingWeights]) -> float:
    """The lowest probability of "none of them" from which at most LOST_RATE of the useful answers would be withheld."""
    useful = []
    for query, w in zip(queries, weights, strict=True):
        leaders, chances = probabilities(query, w)
        looks = set(query.terms.group[query.right].tolist())
        if looks & set(query.terms.group[leaders[:SHOWN]].tolist()):
            useful.append(float(chances[-1]))
    for threshold in np.arange(0.5, 1.0, 0.01):
        if sum(none >= threshold for none in useful) <= LOST_RATE * len(useful):
            return round(float(threshold), 2)
    return 0.99


def query_of(pipeline: Pipeline, sides: Sequence[SideEvidence], photo: ConsumerPhoto, right: set[str]) -> Query:
    """A query's terms over all catalogues, with the items that are right marked."""
    gallery = pipeline.gallery
    terms = gather(gallery, sides, Hints(), None, pipeline.weights.shortlist)
    ids = np.array([gallery.item(int(row)).item_id in right for row in terms.rows], bool)
    return Query(terms, ids, bool(right), photo.pill_group, len(sides))


def build_queries(pipeline: Pipeline, data: Path) -> tuple[list[Query], list[Query], list[TextRead]]:
    """One-sided and two-sided queries of the development photos, and what was read on them."""
    known, unknown = load_photos(data)
    right = right_answers(data)
    evidence = asyncio.run(collect(pipeline, [*known, *unknown]))
    single = [
        query_of(pipeline, [evidence[p.number]], p, right.get(p.number, set()))
        for p in (*known, *unknown) if p.number in evidence
    ]  # fmt: skip
    double = [
        query_of(pipeline, [evidence[a.number], evidence[b.number]], a, right.get(a.number, set()))
        for a, b in (*pairs(known), *pairs(unknown)) if a.number in evidence and b.number in evidence
    ]  # fmt: skip
    return single, double, texts_read([*known, *unknown], evidence)


def main(argv: list[str]) -> None:
    """Entry of `python -m training ranking`."""
    parser = argparse.ArgumentParser(prog="python -m training ranking", description=__doc__)
    parser.add_argument("--config", type=Path, default=Path("configs/ranking.yaml"))
    parser.add_argument("--data", type=Path, default=os.environ.get("PILLSCOPE_DATA"))
    arguments = parser.parse_args(argv)
    if arguments.data is None:
        parser.error("name the folder with the data: --data DIR or PILLSCOPE_DATA (see README, section Data)")
    text = arguments.config.read_text(encoding="utf-8")
    start = RankingWeights.model_validate(yaml.safe_load(text)["start"])
    pipeline = load_pipeline()
    single, double, texts = build_queries(pipeline, arguments.data)
    held_out = cross_validated(single, start)
    threshold = identified_threshold(single, held_out)
    withheld = unidentified_threshold(single, held_out)
    weights = fit_two_sided(double, fit(single, start))
    weights = fit_read(texts, weights.model_copy(update={"identified": threshold, "unidentified": withheld}))
    document = {"start": start.model_dump(), "weights": {k: round(v, 4) for k, v in weights.model_dump().items()}}
    head = "".join(line for line in text.splitlines(keepends=True) if line.startswith("#"))
    arguments.config.write_text(head + yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    in_gallery = [(q, w) for q, w in zip(single, held_out, strict=True) if q.in_gallery]
    first = [bool(q.right[probabilities(q, w)[0][0]]) for q, w in in_gallery]
    five = [bool(q.right[probabilities(q, w)[0][:5]].any()) for q, w in in_gallery]
    print(f"cross-validated by pill group, n = {len(first)}: top-1 {np.mean(first):.3f}, top-5 {np.mean(five):.3f}")
    print(f"loss {np.mean([loss([q], w) for q, w in zip(single, held_out, strict=True)]):.3f}, "
          f"identified from {threshold}, unidentified from {withheld}")  # fmt: skip
    print(report(texts))
    print(yaml.safe_dump(document["weights"], sort_keys=False))
