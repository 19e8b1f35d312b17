"""Lines out of what the text finder says of every pixel."""

import numpy as np
import pytest

from runners.ocr_find import REACH, STRIDE, lines_of

SIDE = 96


def answer_for(*lines: tuple[tuple[float, float], float, float, float]) -> np.ndarray:
    """(4, SIDE, SIDE) for lines of (middle, width, height, degrees clockwise), px of the picture."""
    out = np.zeros((4, SIDE, SIDE), np.float32)
    y, x = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32) * STRIDE + (STRIDE - 1) / 2
    for (mx, my), width, height, degrees in lines:
        c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
        along, below = (x - mx) * c + (y - my) * s, (y - my) * c - (x - mx) * s
        half = max(width / 2 - 0.3 * height, 0.175 * width)
        on = (abs(along) <= half) & (abs(below) <= 0.2 * height)
        out[0][on] = 0.95
        out[1][on], out[2][on] = np.cos(2 * np.radians(degrees)), np.sin(2 * np.radians(degrees))
        out[3][on] = height / 2 / REACH
    return out


@pytest.mark.parametrize("degrees", [0, 30, 80, 100, 179, 250])
def test_a_line_is_found_along_its_base_line(degrees):
    (line,) = lines_of(answer_for(((100, 90), 80, 24, degrees)))
    begin, end, below = line.corners[0], line.corners[1], line.corners[3]
    assert np.degrees(np.arctan2(*(end - begin)[::-1])) % 180 == pytest.approx(degrees % 180, abs=2)
    assert np.linalg.norm(end - begin) == pytest.approx(80, abs=5)
    assert np.linalg.norm(below - begin) == pytest.approx(24, abs=1)
    assert line.corners.mean(axis=0) == pytest.approx((100, 90), abs=1.5)


def test_a_single_sign_is_as_wide_as_it_is():
    (line,) = lines_of(answer_for(((96, 96), 40, 60, 0)))
    assert np.ptp(line.corners[:, 0]) == pytest.approx(40, abs=7)
    assert np.ptp(line.corners[:, 1]) == pytest.approx(60, abs=2)


def test_lines_under_each_other_are_two():
    found = lines_of(answer_for(((96, 80), 90, 24, 0), ((96, 104), 60, 24, 0)))
    assert sorted(round(float(line.corners.mean(axis=0)[1])) for line in found) == [80, 104]


def test_faint_or_tiny_marks_are_no_lines():
    answer = answer_for(((96, 96), 60, 24, 0))
    answer[0] *= 0.5
    assert lines_of(answer) == []
    speck = np.zeros((4, SIDE, SIDE), np.float32)
    speck[0, 10, 10] = 1.0
    assert lines_of(speck) == []
    flat = answer_for(((96, 96), 60, 24, 0))
    flat[3] = 0
    assert lines_of(flat) == []
