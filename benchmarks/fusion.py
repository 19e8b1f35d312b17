"""`python -m benchmarks fusion --data DIR`: what each kind of evidence adds, and trees in place of the log odds.

Everything by cross-validation over pill groups on the consumer development photos, one photo a query, against all three
catalogues. The trees are an XGBoost ranker over the first hundred answers of the log odds, with the same terms.
"""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
import yaml
from numpy.typing import NDArray

from benchmarks.options import parse_with_data
from benchmarks.report import table, write
from benchmarks.rows import Row, bootstrap, share_row
from pipeline.__main__ import load_pipeline
from pipeline.ranking import RankingWeights, Terms, total
from training.folds import folds_of
from training.ranking import Query, build_queries, cross_validated, probabilities

PART = "fusion"
FOLDS: Final = 5
DEEPEST: Final = 100
"""Answers of the log odds that the trees order anew."""
TREES: Final = {"max_depth": 2, "eta": 0.1, "subsample": 0.8, "colsample_bytree": 0.8, "lambda": 5, "seed": 0}
ROUNDS: Final = 60
BARS: Final = (0.5, 0.7, 0.85, 0.9, 0.95)

Ablation = Callable[[Terms], Terms]


def without_look(terms: Terms) -> Terms:
    """No photo is compared."""
    return replace(terms, cosine=np.full_like(terms.cosine, np.nan))


def without_imprint(terms: Terms) -> Terms:
    """Nothing is read, and whether there are letters is not seen."""
    return replace(terms, imprint=np.zeros_like(terms.imprint), blank=np.zeros_like(terms.blank))


def without_attributes(terms: Terms) -> Terms:
    """Colour, shape and form are not seen."""
    zero = np.zeros(len(terms.rows))
    return replace(terms, color=zero, shape=zero, form=zero)


KINDS: Final[dict[str, tuple[Ablation, ...]]] = {
    "look": (without_imprint, without_attributes),
    "imprint": (without_look, without_attributes),
    "look and imprint": (without_attributes,),
    "look, colour, shape, form": (without_imprint,),
    "imprint, colour, shape, form": (without_look,),
    "all": (),
}


def reduced(query: Query, ablations: Sequence[Ablation]) -> Query:
    """The same question with less evidence."""
    terms = query.terms
    for ablation in ablations:
        terms = ablation(terms)
    return Query(terms, query.right, query.in_gallery, query.pill_group, query.sides)


def places(queries: Sequence[Query], weights: Sequence[RankingWeights]) -> list[int]:
    """Place of the right answer, 0 first; the number of answers where it is not among them."""
    return [_place(right_looks(query, probabilities(query, w)[0])) for query, w in zip(queries, weights, strict=True)]


def right_looks(query: Query, leaders: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether each answer, named by its leading item, is a right one."""
    return np.isin(query.terms.group[leaders], query.terms.group[query.right])


def _place(right: NDArray[np.bool_]) -> int:
    return int(right.argmax()) if right.any() else len(right)


def features(query: Query, weights: RankingWeights) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """What the trees see of the first answers, (n, 13), and whether each is right, (n,)."""
    logits, first = total(query.terms, weights)
    leaders = probabilities(query, weights)[0][:DEEPEST]
    terms, items = query.terms, np.arange(len(logits))
    cosine = np.where(np.isnan(terms.cosine), weights.no_photo, terms.cosine)[:, 0]
    here = cosine[items, first]
    imprint = terms.imprint[items, 0, first]
    columns = [
        here, here - cosine.max(), cosine.min(axis=1), np.isnan(terms.cosine[items, 0, first]),
        imprint, imprint - terms.imprint.max(), terms.agreement[items, 0, first], terms.strength[items, 0, first],
        terms.blank[items, 0, first], terms.color, terms.shape, terms.form, logits - logits.max(),
    ]  # fmt: skip
    return np.stack(columns, axis=1)[leaders], right_looks(query, leaders)


def places_by_trees(queries: Sequence[Query], weights: Sequence[RankingWeights], objective: str) -> list[int]:
    """As `places`, by trees fitted without the query's fold."""
    import xgboost  # noqa: PLC0415  # belongs to the extra `train`

    seen = [features(query, w) for query, w in zip(queries, weights, strict=True)]
    own = folds_of([query.pill_group for query in queries], FOLDS)
    found = [0] * len(queries)
    for held_out in range(FOLDS):
        inside = [x for x, fold in zip(seen, own, strict=True) if fold != held_out and x[1].any()]
        matrix = xgboost.DMatrix(np.concatenate([v for v, _ in inside]), np.concatenate([r for _, r in inside]))
        matrix.set_group([len(right) for _, right in inside])
        trees = xgboost.train({**TREES, "objective": objective, "nthread": 1}, matrix, ROUNDS)
        for i, (fold, (values, right)) in enumerate(zip(own, seen, strict=True)):
            if fold == held_out:
                found[i] = _place(right[np.argsort(-trees.predict(xgboost.DMatrix(values)), kind="stable")])
    return found


def place_rows(name: str, found: Sequence[int]) -> list[Row]:
    """Top-1 and top-5."""
    return [
        share_row(PART, name, f"top-{k}", sum(p < k for p in found), len(found), unit="photos") for k in (1, 5)
    ]  # fmt: skip


def stranger_rows(queries: Sequence[Query], weights: Sequence[RankingWeights]) -> list[Row]:
    """How well "none of them" tells pills that no catalogue holds from the others."""
    none = [float(probabilities(query, w)[1][-1]) for query, w in zip(queries, weights, strict=True)]
    known = [query.in_gallery for query in queries]
    both = list(zip(none, known, strict=True))
    rows = [
        Row(PART, "in no catalogue or in one", "AUROC", _auroc(both), *bootstrap(both, _auroc), len(both), "photos")
    ]
    for bar in BARS:
        for label, wanted in (("in no catalogue", False), ("in a catalogue", True)):
            chosen = [p for p, k in both if k is wanted]
            said = sum(p >= bar for p in chosen)
            rows.append(share_row(PART, label, f"unidentified from {bar}", said, len(chosen), unit="photos"))
    return rows


def _auroc(both: Sequence[tuple[float, bool]]) -> float:
    strangers = np.array([none for none, known in both if not known])
    known = np.array([none for none, known in both if known])
    if not len(known) or not len(strangers):
        raise ValueError("both kinds are needed")
    difference = strangers[:, None] - known[None]
    return float((difference > 0).mean() + (difference == 0).mean() / 2)


def main(argv: list[str]) -> None:
    """Entry of `python -m benchmarks fusion`."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks fusion", description=__doc__)
    parser.add_argument("--config", type=Path, default=Path("configs/ranking.yaml"))
    arguments = parse_with_data(parser, argv)
    start = RankingWeights.model_validate(yaml.safe_load(arguments.config.read_text(encoding="utf-8"))["start"])
    queries, *_ = build_queries(load_pipeline(), arguments.data)
    rows: list[Row] = []
    for name, ablations in KINDS.items():
        less = [reduced(query, ablations) for query in queries]
        weights = cross_validated(less, start)
        known = [(query, w) for query, w in zip(less, weights, strict=True) if query.in_gallery]
        rows += place_rows(name, places(*zip(*known, strict=True)))
    strangers = stranger_rows(queries, weights)  # of the last kind: all
    try:
        for objective in ("rank:pairwise", "rank:ndcg"):
            rows += place_rows(f"all, XGBoost {objective}", places_by_trees(*zip(*known, strict=True), objective))
    except ImportError:
        print("the trees were left out: pip install -e .[train]")
    rows += strangers
    print(table(rows))
    command = "python -m benchmarks fusion --data DIR"
    print(f"written to {write('fusion', 'What each kind of evidence adds', command, rows)}")
