"""Which way round a line is read is the quick recogniser's to see, what stands there the large one's."""

from pathlib import Path

import numpy as np
import pytest

from runners.ocr import Reader
from runners.ocr_decode import Calibration, Decoded
from runners.ocr_lines import Line
from runners.ocr_recognizer import LineRecognizer
from runners.session import open_model
from tests.runners.test_ocr import face
from tests.tiny_models import READS, write_tiny_models


class Says:
    """A recogniser that says by how bright the left end of a line is whether it can be read. `read`: calls it had."""

    def __init__(self, both: bool = False) -> None:
        self.lines: list[np.ndarray] = []
        self._both = both

    def read(self, lines: list[np.ndarray]) -> list[Decoded]:
        self.lines += lines
        return [Decoded("AB" if self._both or left_is_bright(line) else "", -0.1, []) for line in lines]

    def confidence(self, said: Decoded) -> float:
        return Calibration().chance(said.log_probability, len(said.text))

    def letters(self, said: Decoded) -> float:
        return self.confidence(said) * len(said.text)


def left_is_bright(line: np.ndarray) -> bool:
    half = line.shape[1] // 2
    return bool(line[:, :half].mean() > line[:, half:].mean())


@pytest.fixture
def models(tmp_path: Path) -> Path:
    return write_tiny_models(tmp_path / "models")


def both_ways() -> list[Line]:
    """One line, bright on the left, and the same the other way round."""
    pixels = np.full((30, 90, 3), 128, np.uint8)
    pixels[:, :30] = 250
    turned = np.ascontiguousarray(pixels[::-1, ::-1])
    return [Line(pixels, 0, (0, 0, 90, 30), 0), Line(turned, 180, (0, 0, 90, 30), 0)]


def test_the_large_recogniser_reads_a_line_only_the_right_way_round(models: Path) -> None:
    reader = Reader(open_model("ocr_detector", models), Says(), Says())  # type: ignore[arg-type]
    (first,), (second,), nothing = reader.upright([both_ways(), both_ways()[::-1], []])
    assert (first.rotation, second.rotation) == (0, 0)
    assert nothing == []


def test_where_both_ways_say_something_both_are_read(models: Path) -> None:
    reader = Reader(open_model("ocr_detector", models), Says(both=True), Says())  # type: ignore[arg-type]
    assert [line.rotation for line in reader.upright([both_ways()])[0]] == [0, 180]


def test_a_line_recogniser_reads_lines_of_all_widths_in_order(models: Path) -> None:
    recognizer = LineRecognizer(open_model("ocr_recognizer", models))
    said = recognizer.read([np.full((h, w), 120, np.uint8) for h, w in ((20, 200), (60, 130), (48, 900), (9, 19))])
    assert [each.text for each in said] == [READS] * 4
    assert recognizer.confidence(said[0]) == pytest.approx(0.9, abs=0.01)
    assert recognizer.letters(said[0]) == pytest.approx(0.9 * len(READS), abs=0.05)
    assert recognizer.read([]) == []


def test_small_print_on_both_halves_of_a_capsule_is_found() -> None:
    found = Reader.open().read(face("93 756", shape="oblong")[None])[0]
    assert {"93", "756"} <= {word for reading in found for word in reading.text.split()} or any(
        "93756" in reading.text.replace(" ", "") for reading in found
    )
