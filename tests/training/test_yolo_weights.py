"""Reading foreign checkpoints: tensors come out, code never runs."""

import sys
import types
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from training.yolo_weights import fitting, read_tensors  # noqa: E402


class Trap:
    """Unpickled the usual way, this writes a file."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple:
        return (Path.touch, (Path(self.path),))


@pytest.fixture
def checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Saved from classes that exist only while saving, with a trap beside them."""
    module = types.ModuleType("foreign_yolo")

    class Net(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = torch.nn.Conv2d(3, 4, 3)
            self.norm = torch.nn.BatchNorm2d(4)

    Net.__module__, Net.__qualname__ = "foreign_yolo", "Net"
    module.Net = Net  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "foreign_yolo", module)
    torch.manual_seed(0)
    path = tmp_path / "net.pt"
    torch.save({"model": Net().half(), "extra": Trap(str(tmp_path / "sprung"))}, path)
    monkeypatch.delitem(sys.modules, "foreign_yolo")
    return path


def test_tensors_are_read_as_float32_without_the_classes(checkpoint: Path) -> None:
    tensors = read_tensors(checkpoint)
    torch.manual_seed(0)
    expected = torch.nn.Conv2d(3, 4, 3).weight.detach().half().float()
    assert torch.equal(tensors["conv.weight"], expected)
    assert tensors["norm.num_batches_tracked"].dtype == torch.int64


def test_nothing_in_the_file_is_run(checkpoint: Path, tmp_path: Path) -> None:
    read_tensors(checkpoint)
    assert not (tmp_path / "sprung").exists()


def test_only_tensors_of_the_same_name_and_shape_fit(checkpoint: Path) -> None:
    wanted = torch.nn.Sequential()
    wanted.add_module("conv", torch.nn.Conv2d(3, 4, 3))
    wanted.add_module("norm", torch.nn.BatchNorm2d(8))
    assert set(fitting(read_tensors(checkpoint), wanted)) == {"conv.weight", "conv.bias", "norm.num_batches_tracked"}


@pytest.mark.parametrize("content", [{"model": None}, {"weights": 1}, [1, 2]])
def test_file_without_a_module_is_refused(content: object, tmp_path: Path) -> None:
    torch.save(content, tmp_path / "empty.pt")
    with pytest.raises(ValueError, match="no module"):
        read_tensors(tmp_path / "empty.pt")
