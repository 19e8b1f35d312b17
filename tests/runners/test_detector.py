"""Boxes come back in pixels of the photo, whatever its shape; doubles and noise do not."""

from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper, numpy_helper

from runners.detector import MAX_PILLS, MIN_SCORE, Detector, letterbox
from tests.tiny_models import DETECTOR_SIZE, SCORE, bright_pill


def saying(rows: list[tuple[float, float, float, float, float]], size: int = 100) -> Detector:
    """A detector whose model answers these rows (cx, cy, w, h, score), whatever it is shown."""
    answer = np.asarray(rows, np.float32).reshape(-1, 5).T[None]
    graph = helper.make_graph(
        [
            helper.make_node("Cast", ["image"], ["seen"], to=TensorProto.FLOAT),
            helper.make_node("ReduceSum", ["seen"], ["sum"], keepdims=0),
            helper.make_node("Mul", ["sum", "zero"], ["nothing"]),
            helper.make_node("Add", ["answer", "nothing"], ["predictions"]),
        ],
        "g",
        [helper.make_tensor_value_info("image", TensorProto.UINT8, [1, size, size, 3])],
        [helper.make_tensor_value_info("predictions", TensorProto.FLOAT, [1, 5, answer.shape[2]])],
        [numpy_helper.from_array(answer, "answer"), numpy_helper.from_array(np.float32(0), "zero")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return Detector(ort.InferenceSession(model.SerializeToString()))


@pytest.mark.parametrize(
    ("width", "height", "center", "axes"),
    [
        (1920, 1080, (1500.0, 300.0), (120.0, 90.0)),
        (600, 1333, (150.0, 1200.0), (70.0, 40.0)),
        (500, 500, (250.0, 250.0), (200.0, 100.0)),
        (60, 41, (30.0, 20.0), (12.0, 8.0)),  # smaller than the model's input: enlarged
        (1000, 97, (900.0, 50.0), (40.0, 30.0)),
    ],
)
def test_box_in_a_photo_of_any_shape(tiny_models: Path, width, height, center, axes) -> None:
    photo = bright_pill(width, height, center, axes)
    boxes = Detector.open(tiny_models).detect(photo)
    truth = [center[0] - axes[0], center[1] - axes[1], center[0] + axes[0], center[1] + axes[1]]
    one_input_pixel = max(width, height) / DETECTOR_SIZE
    assert boxes.dtype == np.float32
    assert boxes.shape == (1, 5)
    np.testing.assert_allclose(boxes[0, :4], truth, atol=1.1 * max(one_input_pixel, 1))
    assert boxes[0, 4] == pytest.approx(SCORE)


def test_an_empty_table_has_no_pill(tiny_models: Path) -> None:
    boxes = Detector.open(tiny_models).detect(np.full((300, 400, 3), 40, np.uint8))
    assert boxes.shape == (0, 5)
    assert boxes.dtype == np.float32


def test_doubles_are_dropped_and_neighbours_stay() -> None:
    detector = saying([(50, 50, 20, 20, 0.6), (51, 50, 20, 20, 0.9), (72, 50, 20, 20, 0.7), (50, 20, 9, 9, 0.01)])
    boxes = detector.detect(np.zeros((100, 100, 3), np.uint8))
    np.testing.assert_allclose(boxes, [[41, 40, 61, 60, 0.9], [62, 40, 82, 60, 0.7]], atol=1e-4)


def test_boxes_stay_inside_the_photo() -> None:
    boxes = saying([(2, 50, 20, 120, 0.9)]).detect(np.zeros((100, 200, 3), np.uint8))
    np.testing.assert_allclose(boxes[0, :4], [0, 0, 24, 100], atol=1e-4)


def test_at_most_a_hundred_and_best_first() -> None:
    rng = np.random.default_rng(1)
    grid = [(5 + 8 * (i % 12), 5 + 8 * (i // 12), 6, 6, rng.uniform(MIN_SCORE + 0.01, 1)) for i in range(132)]
    boxes = saying(grid).detect(np.zeros((100, 100, 3), np.uint8))
    assert len(boxes) == MAX_PILLS
    assert (np.diff(boxes[:, 4]) <= 0).all()
    assert boxes[-1, 4] == pytest.approx(sorted(row[4] for row in grid)[-MAX_PILLS])


def test_letterbox_keeps_proportions_and_pads_gray() -> None:
    canvas, scale, left, top = letterbox(np.full((50, 100, 3), 255, np.uint8), 40)
    assert (scale, left, top) == (0.4, 0, 10)
    assert (canvas[:10] == 114).all()
    assert (canvas[10:30] == 255).all()
    assert (canvas[30:] == 114).all()
