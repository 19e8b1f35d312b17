"""The imprint reader on drawn faces: the real models, opened through the manifest."""

import cv2
import numpy as np
import pytest

from pipeline.cutout import cut_out
from pipeline.imprint_ctc import text_of
from pipeline.schemas import CatalogItem
from runners.ocr import Reader
from runners.ocr_lines import Line, aligned, directions, one_way, turned_box
from runners.ocr_relief import GROUND, relief
from training.renderer import render_pill
from training.rendering.look import look_of
from training.rendering.typeface import BUILT_IN


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader.open()


def face(text: str, shape: str = "round", turn: int = 0) -> np.ndarray:
    """(384, 384, 4) cut-out of a drawn white tablet that carries `text`, turned by quarters."""
    item = CatalogItem(item_id="t:1", catalog="t", name="t", imprint_front=text, imprint_back="", shape=shape,
                       colors=["white"], form="tablet", score_line="none")  # fmt: skip
    rng = np.random.default_rng(3)
    rgba = render_pill(look_of(item, rng, fonts=BUILT_IN), "front", 384, rng)
    return np.ascontiguousarray(np.rot90(cut_out(rgba[..., :3], rgba[..., 3]), turn))


def texts(reader: Reader, cutout: np.ndarray) -> set[str]:
    return {reading.text.replace(" ", "").upper() for reading in reader.read(cutout[None])[0]}


@pytest.mark.parametrize("turn", [0, 1, 2, 3])
def test_letters_are_read_whichever_way_the_pill_lies(reader, turn):
    assert "TEVA" in texts(reader, face("TEVA", turn=turn))


def test_a_blank_face_reads_as_nothing_believable(reader):
    assert all(r.confidence < 0.9 or len(r.text) < 3 for r in reader.read(face("")[None])[0])


def test_every_cut_out_gets_its_own_answer(reader):
    answers = reader.read(np.stack([face("TEVA"), face("")]))
    assert len(answers) == 2
    assert any("TEVA" in r.text.upper() for r in answers[0])
    assert not any("TEVA" in r.text.upper() for r in answers[1])


def test_readings_are_valid_and_sorted(reader):
    found = reader.read(face("WATSON 853")[None])[0]
    assert [r.confidence for r in found] == sorted((r.confidence for r in found), reverse=True)
    assert all(0 <= r.rotation < 360 for r in found)


def test_the_steps_of_a_reading_say_its_text(reader):
    found = reader.read(face("WATSON 853")[None])[0]
    assert found
    for reading in found:
        assert " ".join(text_of(reading.steps).split()) == reading.text
        assert all(sum(step.values()) <= 1.01 for step in reading.steps)


def test_nothing_to_read_is_no_reading(reader):
    assert reader.read(np.zeros((2, 384, 384, 4), np.uint8)) == [[], []]


def test_relief_takes_colour_and_body_away():
    cutout = np.zeros((384, 384, 4), np.uint8)
    cv2.circle(cutout, (192, 192), 165, (30, 90, 200, 255), -1)
    assert np.abs(relief(cutout).astype(int) - GROUND).max() <= 12  # an even disc has no relief
    cv2.line(cutout, (130, 192), (250, 192), (20, 60, 150, 255), 8)
    shown = relief(cutout)
    assert shown[192, 192, 0] < GROUND - 40
    assert np.array_equal(shown[..., 0], shown[..., 1])


@pytest.mark.parametrize(
    ("size", "expected"), [((120, 30), (0, 180)), ((30, 120), (90, 270)), ((60, 55), (0, 90, 180, 270))]
)
def test_a_line_is_read_in_the_directions_it_may_have(size, expected):
    w, h = size
    quad = np.array([[100, 100], [100 + w, 100], [100 + w, 100 + h], [100, 100 + h]], np.float32)
    lines = directions(np.zeros((384, 384, 3), np.uint8), quad)
    assert tuple(line.rotation for line in lines) == expected
    for line in lines:  # in its own direction a line is at least as wide as high, unless it is square
        assert line.pixels.shape[1] >= line.pixels.shape[0] or len(lines) == 4


@pytest.mark.parametrize("shift", [0, 2])
def test_a_line_begins_where_its_first_corner_is(shift):
    picture = np.full((384, 384, 3), 128, np.uint8)
    picture[100:130, 100:140] = 255  # the left end of the line is bright
    quad = np.array([[100, 100], [220, 100], [220, 130], [100, 130]], np.float32)
    line = one_way(picture, np.roll(quad, shift, axis=0))
    assert line.rotation == 90 * shift
    bright = line.pixels[:, :30].mean() > line.pixels[:, -30:].mean()
    assert bright == (shift == 0)


def test_turning_a_box_back_restores_it():
    quad = np.array([[50, 80], [150, 80], [150, 120], [50, 120]], np.float32)
    x1, y1, x2, y2 = turned_box(quad, 90, 384)
    corners = np.array([[x1, y1], [x2, y1], [x2, y2], [x1, y2]], np.float32)
    assert turned_box(corners, 270, 384) == pytest.approx((50, 80, 150, 120), abs=1e-3)


def test_lines_of_nearly_one_direction_share_their_turn():
    blank = np.zeros((10, 40, 3), np.uint8)
    lines = [Line(blank, rotation, (100, 100, 140, 110), 0) for rotation in (2, 358, 182, 178, 40)]
    turned = [line.rotation for line in aligned(lines, 384)]
    assert len(set(turned[:2])) == 1
    assert len(set(turned[2:4])) == 1
    assert turned[4] == 40
    assert aligned([], 384) == []
