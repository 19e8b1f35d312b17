"""From a reference photo to its faces: which boxes are the pill, where its outline is, what shape it speaks for."""

import cv2
import numpy as np
import pytest

from index.faces import (
    Candidate,
    FoundFace,
    Proportions,
    choose,
    cut_isolated,
    find_faces,
    halves,
    mask_on_black,
    shape_of,
)
from pipeline.cutout import CUTOUT_SIZE

SIZE = 512


def paper(*pills: tuple[int, int, int]) -> np.ndarray:
    """Gray paper, 640 x 480, with red discs (x, y, radius)."""
    image = np.full((480, 640, 3), 200, np.uint8)
    for x, y, radius in pills:
        cv2.circle(image, (x, y), radius, (200, 30, 30), -1)
    return image


class RedDetector:
    """Finds red discs exactly; each view it was shown is kept. `noise`: boxes it also believes to see in photo px."""

    def __init__(self, noise: np.ndarray | None = None) -> None:
        self.noise = np.zeros((0, 5), np.float32) if noise is None else noise
        self.shown: list[tuple[int, ...]] = []

    async def detect(self, frame: np.ndarray) -> np.ndarray:
        red = ((frame[..., 0] > 150) & (frame[..., 1] < 100)).astype(np.uint8)
        _, _, stats, _ = cv2.connectedComponentsWithStats(red)
        boxes = [[x, y, x + w, y + h, 0.9] for x, y, w, h, area in stats[1:] if area > 50]
        noise = self.noise if not self.shown else self.noise[:0]
        self.shown.append(frame.shape)
        found = np.concatenate([np.array(boxes, np.float32).reshape(-1, 5), noise])
        return found[np.argsort(-found[:, 4], kind="stable")]


class RedBackground:
    async def mask(self, crops: np.ndarray) -> np.ndarray:
        return np.where((crops[..., 0] > 150) & (crops[..., 1] < 100), 255, 0).astype(np.uint8)


async def test_both_faces_are_found_in_reading_order_and_cut_exactly():
    photo = paper((300, 200, 20), (240, 202, 20))
    faces = await find_faces(photo, RedDetector(), RedBackground(), 2)
    assert [round((face.view[0] + face.view[2]) / 2) for face in faces] == [240, 300]
    cutout = faces[0].cut_out(photo)
    assert cutout.shape == (CUTOUT_SIZE, CUTOUT_SIZE, 4)
    assert (cutout[..., 0][cutout[..., 3] > 0] > 150).mean() > 0.97
    assert (cutout[..., 3] > 0).mean() == pytest.approx(np.pi / 4 * 0.88**2, rel=0.06)


async def test_faces_above_each_other_are_read_from_top_to_bottom():
    faces = await find_faces(paper((300, 300, 20), (304, 200, 20)), RedDetector(), RedBackground(), 2)
    assert [round((face.view[1] + face.view[3]) / 2) for face in faces] == [200, 300]


async def test_print_and_rulers_beside_the_pair_are_left_out():
    noise = np.array([[20, 20, 400, 60, 0.8], [10, 100, 30, 400, 0.95], [0, 0, 8, 8, 0.1]], np.float32)
    detector = RedDetector(noise)
    faces = await find_faces(paper((240, 200, 20), (300, 200, 20)), detector, RedBackground(), 2)
    assert [round(face.view[0]) for face in faces] == [220, 280]
    assert len(detector.shown) == 1  # good enough at first sight


async def test_one_face_where_there_is_one_and_none_where_there_is_none():
    assert len(await find_faces(paper((240, 200, 20)), RedDetector(), RedBackground(), 2)) == 1
    assert len(await find_faces(paper((240, 200, 20), (300, 200, 20)), RedDetector(), RedBackground(), 1)) == 1
    assert await find_faces(paper(), RedDetector(), RedBackground(), 2) == []


def candidate(box: tuple[float, float, float, float], quality: float) -> Candidate:
    face = FoundFace(box, np.full((SIZE, SIZE), 255, np.uint8))
    return Candidate(face, box, 0.8 * (box[2] - box[0]) * (box[3] - box[1]), quality)


def test_two_faces_are_of_one_size_and_do_not_contain_each_other():
    both, one, other = (
        candidate((0, 0, 100, 50), 0.25),
        candidate((0, 0, 50, 50), 0.6),
        candidate((50, 0, 100, 50), 0.6),
    )
    assert choose([both, one, other], 2) == [one, other]
    assert choose([both, one, other], 1) == [one]
    assert choose([one, candidate((0, 0, 48, 48), 0.6)], 2) == [one]  # the same face again
    assert choose([one, candidate((200, 0, 300, 80), 0.1)], 2) == [one]
    assert choose([candidate((0, 0, 50, 50), 0.05)], 2) == []


def test_a_pair_of_small_ovals_loses_against_a_pill():
    digits = [candidate((10, 100, 22, 120), 0.9), candidate((40, 100, 52, 120), 0.9)]
    pill = candidate((100, 0, 180, 40), 0.5)
    assert choose([*digits, pill], 2) == [pill]


async def test_two_pills_that_the_detector_takes_for_one_are_told_apart():
    photo = paper((240, 200, 20), (281, 200, 20))
    cv2.rectangle(photo, (255, 197), (266, 203), (200, 30, 30), -1)  # they touch
    faces = await find_faces(photo, RedDetector(), RedBackground(), 2, ("round",))
    assert len(faces) == 2
    for face in faces:
        alpha = face.cut_out(photo)[..., 3] > 0
        assert alpha.mean() == pytest.approx(np.pi / 4 * 0.88**2, rel=0.12)


def test_one_pill_has_no_halves():
    assert halves(drawn("oblong")) == []
    assert halves(drawn("oval")) == []
    assert halves(np.zeros((SIZE, SIZE), np.uint8)) == []


def test_a_face_survives_packing():
    mask = np.zeros((SIZE, SIZE), np.uint8)
    mask[100:400, 50:300] = 255
    face = FoundFace((1.5, 2.25, 300.0, 4.0), mask)
    again = FoundFace.unpack(face.pack())
    assert again.view == face.view
    assert np.array_equal(again.mask, mask)
    assert len(face.pack()) < 2000


def test_a_black_capsule_on_black_keeps_its_body():
    image = np.zeros((224, 224, 3), np.uint8)
    cv2.ellipse(image, (112, 112), (90, 40), 0, 0, 360, (200, 30, 30), -1)
    cv2.ellipse(image, (112, 112), (60, 25), 0, 0, 360, (0, 0, 0), -1)
    mask = mask_on_black(image)
    assert mask[112, 112] == 255
    assert mask[10, 10] == 0
    assert (mask > 0).sum() == pytest.approx(np.pi * 90 * 40, rel=0.06)


def test_an_isolated_face_is_cut_out_and_a_black_picture_has_none():
    image = np.zeros((224, 224, 3), np.uint8)
    cv2.circle(image, (80, 130), 60, (255, 255, 255), -1)
    (cutout,) = cut_isolated(image)
    assert cutout[CUTOUT_SIZE // 2, CUTOUT_SIZE // 2].tolist() == [255, 255, 255, 255]
    assert cut_isolated(np.zeros((224, 224, 3), np.uint8)) == []


def drawn(shape: str) -> np.ndarray:
    mask = np.zeros((SIZE, SIZE), np.uint8)
    if shape == "oval":
        cv2.ellipse(mask, (256, 256), (180, 90), 30, 0, 360, 255, -1)
    elif shape == "oblong":
        cv2.line(mask, (160, 200), (350, 310), 255, 120)  # round ends
    else:
        cv2.rectangle(mask, (150, 150), (350, 350), 255, -1)
    return mask


@pytest.mark.parametrize(
    ("true", "possible"),
    [("oval", ("oval", "oblong")), ("oblong", ("oval", "oblong")), ("oblong", ("oblong", "square")),
     ("square", ("oblong", "square"))],
)  # fmt: skip
def test_an_outline_decides_between_the_shapes_a_word_may_mean(true, possible):
    assert shape_of([Proportions.of(drawn(true))] * 2, possible) == true


def test_without_an_outline_or_a_choice_the_first_meaning_stays():
    assert shape_of([], ("oval", "oblong")) == "oval"
    assert shape_of([Proportions.of(drawn("square"))], ("round",)) == "round"
    assert shape_of([Proportions.of(drawn("oval"))], ("oblong", "square")) == "oblong"
