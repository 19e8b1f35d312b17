"""Places and confidences of known cases; hand-made vectors against hand-made indexes."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.retrieval import against_index, against_photos
from benchmarks.retrieval_scores import (
    NOWHERE,
    Outcome,
    average_precision,
    global_average_precision,
    outcome_rows,
    reciprocal_rank,
)
from index.search import LoadedIndex
from tests.index.small_index import build_small


def test_average_precision_of_a_known_case() -> None:
    outcome = Outcome((0, 2, NOWHERE), 0.9)
    assert average_precision(outcome) == pytest.approx((1 / 1 + 2 / 3 + 0) / 3)
    assert reciprocal_rank(outcome) == 1
    assert reciprocal_rank(Outcome.missed()) == 0


def test_being_sure_of_a_wrong_answer_costs_more_than_doubting_it() -> None:
    right, wrong = Outcome((0,), 0.5), (NOWHERE,)
    assert global_average_precision([right, Outcome(wrong, 0.1)]) == pytest.approx(0.5)
    assert global_average_precision([right, Outcome(wrong, 0.9)]) == pytest.approx(0.25)


def test_a_photo_without_a_pill_counts_as_a_miss() -> None:
    rows = {row.metric: row for row in outcome_rows("part", "set", [Outcome((0,), 0.8), Outcome.missed()], "photos")}
    assert rows["top-1"].value == rows["top-50"].value == 0.5
    assert "MAP" not in rows  # one right answer each: it would repeat MRR


def test_two_faces_find_the_pill_that_one_face_leaves_open(tmp_path: Path) -> None:
    gallery = LoadedIndex(build_small(tmp_path))
    rows = np.arange(len(gallery))
    faces = gallery.similarities(np.eye(gallery._vectors.dimension, dtype=np.float32), rows)
    assert not np.isnan(faces).all()
    tfda = next(int(row) for row in rows if gallery.item(int(row)).item_id.startswith("tw-tfda") and faces[row, 1] > 0)
    item = gallery.item(tfda).item_id
    own = gallery._vectors._index.reconstruct_n(0, len(gallery._vectors))[gallery._face_vector]
    start = gallery._item_starts[tfda]
    front, back = own[start][None], own[start + 1][None]
    assert against_index([back, front], gallery, None, frozenset({item})) == Outcome((0,), pytest.approx(1, abs=1e-2))
    assert against_index([], gallery, None, frozenset({item})) == Outcome.missed()
    assert against_index([front], gallery, ["us-nih"], frozenset({item})).places == (NOWHERE,)


def test_places_among_photos_count_every_photo_of_the_pill() -> None:
    others = np.eye(4, dtype=np.float32)[:, None, :]
    query = np.array([[0.1, 0.9, 0.5, 0.2]], np.float32)
    assert against_photos(query, others, [True, False, True, False]).places == (1, 3)
