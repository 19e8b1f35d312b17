"""Faces with labels: the split is by looks, photographed looks are never trained on, drawn pills know themselves."""

from pathlib import Path

import numpy as np

from pipeline.attributes import HEADS, LAYOUT
from pipeline.schemas import CatalogItem
from training.attribute_faces import DrawnFaces, balanced, consumer_groups, drawn_labels, nih_faces, part_of
from training.rendering.look import look_of


def words(labels: np.ndarray, head: str) -> list[str]:
    return [name for name, value in zip(HEADS[head], labels[LAYOUT[head]], strict=True) if value == 1]


def test_every_group_has_one_part_and_shares_are_as_stated() -> None:
    parts = [part_of(f"group {n}") for n in range(4000)]
    assert abs(parts.count("held_out") / 4000 - 0.12) < 0.02
    assert abs(parts.count("calibration") / 4000 - 0.05) < 0.02
    assert parts == [part_of(f"group {n}") for n in range(4000)]


def test_looks_on_consumer_photos_are_held_out(pill_data: Path) -> None:
    groups = consumer_groups(pill_data)
    assert groups == {"g1"}
    assert part_of("g1", groups) == "held_out"


def test_nih_faces_carry_the_catalogue_s_words(pill_data: Path) -> None:
    faces = {face.name: face for face in nih_faces(pill_data)}
    assert len(faces) == 6
    capsule = faces["2_back.jpg"].labels
    assert words(capsule, "colors") == ["blue"]
    assert words(capsule, "shape") == ["oblong"]
    assert words(capsule, "form") == ["hard capsule"]
    assert words(capsule, "score_line") == ["none"], "capsules have no score line"
    assert np.isnan(faces["0_front.jpg"].labels[LAYOUT["score_line"]]).all(), "no catalogue says it of a tablet"


def test_drawn_faces_know_everything_of_themselves(pill_data: Path) -> None:
    drawn = DrawnFaces(pill_data)
    for seed in range(12):
        face = drawn.face(np.random.default_rng(seed))
        assert not np.isnan(face.labels).any()
        assert set(np.unique(face.rgba[..., 3])) == {0, 255}
        assert len(words(face.labels, "shape")) == len(words(face.labels, "form")) == 1
    again = drawn.face(np.random.default_rng(3))
    assert np.array_equal(again.rgba, drawn.face(np.random.default_rng(3)).rgba)


def test_drawn_labels_follow_the_side() -> None:
    item = CatalogItem(
        item_id="1", catalog="kr-mfds", name="x", shape="round", form="tablet", colors=["white"],
        imprint_front="AB", imprint_back="", score_line="line",
    )  # fmt: skip
    look = look_of(item, np.random.default_rng(0))
    front, back = drawn_labels(item, look, "front"), drawn_labels(item, look, "back")
    assert front[LAYOUT["imprinted"]] == 1
    assert back[LAYOUT["imprinted"]] == 0
    assert sorted([*words(front, "score_line"), *words(back, "score_line")]) == ["line", "none"]


def test_rare_labels_are_shown_more_often(pill_data: Path) -> None:
    faces = nih_faces(pill_data)
    often = [faces[0]] * 20 + [faces[4]]
    weights = balanced(often)
    assert np.isclose(weights.sum(), 1)
    assert weights[-1] > 2 * weights[0]
