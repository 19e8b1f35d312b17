"""A network filled from its own exported file computes the same, in training too, and another one is refused."""

from pathlib import Path

import onnx
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnxslim")
from torch import nn  # noqa: E402

from export.graph import TakesPhotos, to_onnx  # noqa: E402
from export.half import store_half  # noqa: E402
from export.lines import TakesGrayLines  # noqa: E402
from export.lines import to_onnx as lines_to_onnx  # noqa: E402
from training.reader import WithProbabilities  # noqa: E402
from training.reader_net import ReaderNet  # noqa: E402
from training.shipped import NotTheSameNetwork, load_shipped, module_path  # noqa: E402


class Small(nn.Module):
    """Two convolutions with norms, one with a bias."""

    def __init__(self, width: int = 8) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Sequential(nn.Conv2d(3, width, 3, bias=False), nn.BatchNorm2d(width), nn.ReLU()),
            nn.Sequential(nn.Conv2d(width, 4, 3, bias=False), nn.BatchNorm2d(4), nn.ReLU()),
        )
        self.last = nn.Conv2d(4, 1, 1)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return self.last(self.body(image))


@pytest.fixture
def trained() -> Small:
    """With statistics that are not those of a fresh norm."""
    torch.manual_seed(0)
    net = Small().train()
    for _ in range(5):
        net(torch.rand(4, 3, 16, 16) * 255)
    return net.eval()


@pytest.fixture
def shipped(trained: Small, tmp_path: Path) -> Path:
    model = store_half(to_onnx(TakesPhotos(trained, 3), 16, "mask", batched=True))
    onnx.save(model, str(tmp_path / "small.onnx"))
    return tmp_path / "small.onnx"


def test_the_network_goes_on_where_the_file_left_off(trained: Small, shipped: Path) -> None:
    images = torch.rand(6, 3, 16, 16) * 255
    net = Small()
    assert load_shipped(net, shipped, images) == 3
    with torch.no_grad():
        expected = trained(images)
        assert torch.allclose(net.eval()(images), expected, atol=1e-3 * float(expected.abs().max()))
        assert torch.allclose(net.train()(images), expected, atol=1e-3 * float(expected.abs().max()))


def test_another_network_is_refused(shipped: Path) -> None:
    images = torch.rand(2, 3, 16, 16)
    with pytest.raises(NotTheSameNetwork):
        load_shipped(Small(width=6), shipped, images)
    with pytest.raises(NotTheSameNetwork):
        load_shipped(nn.Sequential(nn.Conv2d(3, 8, 3)), shipped, images)


def test_a_member_of_a_list_is_named_once() -> None:
    assert module_path("/module/net/model.2/m/m.0/cv1/conv/Conv") == "module.net.model.2.m.0.cv1.conv"
    assert module_path("/module/module.0/joins.3/mix/mix.0/mix.0.0/Conv") == "module.0.joins.3.mix.0.0"


def test_a_reader_goes_on_where_the_file_left_off(tmp_path: Path) -> None:
    torch.manual_seed(0)
    trained = ReaderNet(12).train()
    lines = torch.rand(4, 1, 48, 96) * 255
    for _ in range(3):
        trained(lines)
    trained.eval()
    onnx.save(
        store_half(lines_to_onnx(TakesGrayLines(WithProbabilities(trained, "ABCDEFGHIJKL")))), str(tmp_path / "r.onnx")
    )
    net = ReaderNet(12).eval()
    load_shipped(net, tmp_path / "r.onnx", lines)
    with torch.no_grad():
        expected = trained(lines)
        assert torch.allclose(net(lines), expected, atol=0.01 * float(expected.abs().max()))
