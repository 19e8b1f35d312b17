"""External tensors are found wherever a model can hide them; whole models are read right."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from runners.onnx_external import has_external_data
from tests.tiny_models import classifier_model, detector_model


def external_tensor() -> onnx.TensorProto:
    tensor = numpy_helper.from_array(np.ones(4, np.float32), "w")
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="/etc/passwd")
    return tensor


def model_of(graph: onnx.GraphProto) -> bytes:
    return helper.make_model(graph).SerializeToString()


def test_whole_models_have_none() -> None:
    for model in (detector_model(), classifier_model()):
        assert not has_external_data(model.SerializeToString())


def in_initializer() -> bytes:
    return model_of(helper.make_graph([], "g", [], [], [external_tensor()]))


def in_constant_node() -> bytes:
    return model_of(helper.make_graph([helper.make_node("Constant", [], ["c"], value=external_tensor())], "g", [], []))


def in_branch() -> bytes:
    branch = helper.make_graph([], "branch", [], [], [external_tensor()])
    node = helper.make_node("If", ["c"], ["y"], then_branch=branch, else_branch=branch)
    return model_of(helper.make_graph([node], "g", [], []))


def in_sparse_initializer() -> bytes:
    sparse = onnx.SparseTensorProto(values=external_tensor(), dims=[4])
    return model_of(helper.make_graph([], "g", [], [], sparse_initializer=[sparse]))


def in_function() -> bytes:
    node = helper.make_node("Constant", [], ["y"], value=external_tensor())
    function = helper.make_function("d", "f", [], ["y"], [node], [helper.make_opsetid("", 17)])
    model = helper.make_model(helper.make_graph([], "g", [], []), functions=[function])
    return model.SerializeToString()


def by_location_alone() -> bytes:
    tensor = external_tensor()
    tensor.ClearField("external_data")
    return model_of(helper.make_graph([], "g", [], [], [tensor]))


@pytest.mark.parametrize(
    "hide", [in_initializer, in_constant_node, in_branch, in_sparse_initializer, in_function, by_location_alone]
)
def test_found_wherever_it_hides(hide) -> None:
    assert has_external_data(hide())


@pytest.mark.parametrize(
    "junk",
    [
        b"\x3a\xff\xff\xff\xff\x0f",  # a graph longer than the file
        b"\x3a",  # a length that is cut off
        b"\x0f",  # a wire type that does not exist
        b"\xff" * 12,  # a number without end
    ],
)
def test_junk_is_an_error(junk: bytes) -> None:
    with pytest.raises(ValueError, match="not protobuf"):
        has_external_data(junk)
