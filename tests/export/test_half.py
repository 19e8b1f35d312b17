import numpy as np
import pytest

onnx = pytest.importorskip("onnx")
from onnx import TensorProto, helper, numpy_helper  # noqa: E402

from export.half import SMALLEST, halves_well, store_half  # noqa: E402


def model_with(weights: np.ndarray) -> "onnx.ModelProto":
    """y = x @ weights."""
    rows, columns = weights.shape
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"])],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", rows])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", columns])],
        [numpy_helper.from_array(weights.astype(np.float32), "w")],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)


def stored_types(model: "onnx.ModelProto") -> list[int]:
    return [t.data_type for t in model.graph.initializer]


def test_ordinary_weights_are_halved_and_the_input_is_left_alone() -> None:
    model = model_with(np.random.default_rng(0).normal(size=(64, 64)))
    assert stored_types(store_half(model)) == [TensorProto.FLOAT16]
    assert stored_types(model) == [TensorProto.FLOAT]


@pytest.mark.parametrize(
    "weights",
    [
        np.full((64, 64), 1e6),  # overflows float16
        np.random.default_rng(0).normal(size=(64, 64)) * 1e-7,  # below its normal range
        np.ones((SMALLEST // 16 - 1, 16)),  # too few to matter
    ],
    ids=["overflow", "underflow", "small"],
)
def test_weights_that_would_suffer_stay_float32(weights: np.ndarray) -> None:
    assert stored_types(store_half(model_with(weights))) == [TensorProto.FLOAT]


def test_zeros_halve_well() -> None:
    assert halves_well(np.zeros(10, np.float32))
