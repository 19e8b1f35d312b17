"""A tiny network goes the whole way to ONNX, and mistakes on the way are noticed."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnxslim")

import onnx  # noqa: E402

from export.graph import TakesPhotos, to_onnx  # noqa: E402
from export.half import SMALLEST, store_half  # noqa: E402
from export.parity import ParityError, check, onnx_answers, torch_answers  # noqa: E402

SIZE = 32


class TinyNet(torch.nn.Module):
    """(N, 3, S, S) in [0, 255] -> (N, 4) or, with `maps`, (N, 1, S, S)."""

    def __init__(self, *, maps: bool = False) -> None:
        super().__init__()
        self.first = torch.nn.Conv2d(3, 16, 3, padding=1)
        self.wide = torch.nn.Conv2d(16, 16, 3, padding=1)  # large enough to be stored as float16
        self.second = torch.nn.Conv2d(16, 1 if maps else 4, 3, padding=1)
        self.maps = maps

    def forward(self, x: "torch.Tensor") -> "torch.Tensor":
        y = self.second(torch.relu(self.wide(torch.relu(self.first((x - 127.5) / 127.5)))))
        return torch.sigmoid(y if self.maps else y.mean(dim=(2, 3)))


@pytest.fixture
def net() -> TakesPhotos:
    torch.manual_seed(0)
    return TakesPhotos(TinyNet(), 2).eval()


@pytest.fixture
def images() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (3, SIZE, SIZE, 3), dtype=np.uint8)


def test_graph_takes_photos_in_batches_and_agrees_with_torch(net: TakesPhotos, images: np.ndarray) -> None:
    model = to_onnx(net, SIZE, "probabilities", batched=True)
    declared = model.graph.input[0].type.tensor_type
    assert model.graph.input[0].name == "image"
    assert declared.elem_type == onnx.TensorProto.UINT8
    assert [d.dim_param or d.dim_value for d in declared.shape.dim] == ["n", SIZE, SIZE, 3]
    assert [o.name for o in model.graph.output] == ["probabilities"]
    assert check(torch_answers(net, images), model, images, 1e-5, batched=True) <= 1e-5


def test_graph_of_a_single_image_model_has_a_fixed_batch(net: TakesPhotos, images: np.ndarray) -> None:
    model = to_onnx(net, SIZE, "predictions", batched=False)
    assert model.graph.input[0].type.tensor_type.shape.dim[0].dim_value == 1
    assert onnx_answers(model, images, batched=False).shape == (3, 4)


def test_surplus_channel_of_a_mask_is_dropped(images: np.ndarray) -> None:
    model = to_onnx(TakesPhotos(TinyNet(maps=True), 3), SIZE, "mask", batched=True)
    assert onnx_answers(model, images, batched=True).shape == (3, SIZE, SIZE)


def test_graph_carries_no_notes_of_this_machine(net: TakesPhotos) -> None:
    model = to_onnx(net, SIZE, "y", batched=True)
    assert not model.metadata_props
    assert not any(node.doc_string or node.metadata_props for node in model.graph.node)
    assert b".py" not in model.SerializeToString()


def test_same_network_gives_the_same_bytes(net: TakesPhotos) -> None:
    once, again = (to_onnx(net, SIZE, "y", batched=True).SerializeToString(deterministic=True) for _ in range(2))
    assert once == again


def test_parity_failure_is_detected(net: TakesPhotos, images: np.ndarray) -> None:
    expected = torch_answers(net, images)
    model = to_onnx(net, SIZE, "y", batched=True)
    with torch.no_grad():
        net.module.second.bias += 0.5
    with pytest.raises(ParityError, match="differs from torch"):
        check(torch_answers(net, images), model, images, 1e-3, batched=True)
    with pytest.raises(ParityError, match="answers"):
        check(expected[:, :2], model, images, 1e-3, batched=True)


def test_answer_that_is_not_finite_is_detected(net: TakesPhotos, images: np.ndarray) -> None:
    expected = torch_answers(net, images)
    with torch.no_grad():
        net.module.second.bias[0] = float("nan")
    with pytest.raises(ParityError, match="finite"):
        check(expected, to_onnx(net, SIZE, "y", batched=True), images, 1e9, batched=True)


def test_half_storage_is_smaller_and_computes_the_same(net: TakesPhotos, images: np.ndarray) -> None:
    plain = to_onnx(net, SIZE, "y", batched=True)
    half = store_half(plain)
    kinds = {large: {t.data_type for t in half.graph.initializer if (np.prod(t.dims) >= SMALLEST) == large}
             for large in (True, False)}  # fmt: skip
    assert kinds[True] == {onnx.TensorProto.FLOAT16}
    assert onnx.TensorProto.FLOAT16 not in kinds[False]
    assert len(half.SerializeToString()) < 0.75 * len(plain.SerializeToString())
    assert check(torch_answers(net, images), half, images, 1e-3, batched=True) > 0
