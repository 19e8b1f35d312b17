"""Training goes on from an exported file: the same function, and batch norms that can be trained."""

from pathlib import Path

import onnx
import pytest

torch = pytest.importorskip("torch")  # the train group is an environment of its own
pytest.importorskip("onnxslim")

from export.graph import TakesPhotos, to_onnx  # noqa: E402
from training.embed_net import ArcFace, EmbedNet, look_alikes  # noqa: E402
from training.recover import RecoverError, pairs, recover  # noqa: E402

torch.set_num_threads(1)


def sample() -> "torch.Tensor":
    return torch.rand(16, 3, 64, 64, generator=torch.Generator().manual_seed(1)) * 255


def exported(net: EmbedNet, folder: Path) -> Path:
    path = folder / "embedder.onnx"
    onnx.save(to_onnx(TakesPhotos(net.eval(), 2), 64, "embedding", batched=True), str(path))
    return path


def test_the_network_comes_back_as_it_was(tmp_path: Path) -> None:
    torch.manual_seed(0)
    net = EmbedNet(32)
    for _, norm in pairs(net):  # batch norms of a trained net are no identities
        torch.nn.init.uniform_(norm.weight, 0.5, 2)
        torch.nn.init.normal_(norm.running_mean)
    back = recover(exported(net, tmp_path), sample())
    with torch.no_grad():
        assert torch.allclose(back(sample()), net.eval()(sample()), atol=1e-4)
        hidden: list[torch.Tensor] = []
        last = list(pairs(back.backbone))[-1][0]
        last.register_forward_hook(lambda _, __, out: hidden.append(out))
        back(sample())
    norm = list(pairs(back.backbone))[-1][1]
    assert torch.allclose(norm.running_mean, hidden[0].mean(dim=(0, 2, 3)), atol=1e-4)


def test_another_network_is_refused(tmp_path: Path) -> None:
    path = exported(EmbedNet(32), tmp_path)
    model = onnx.load(str(path))
    convolution = next(node for node in model.graph.node if node.op_type == "Conv")
    model.graph.node.remove(convolution)
    onnx.save(model, str(path))
    with pytest.raises(RecoverError):
        recover(path, sample())


def test_taking_one_look_alike_for_the_other_is_no_mistake() -> None:
    prototypes = torch.tensor([[1.0, 0.0], [0.999, 0.04], [0.0, 1.0]])
    alike = look_alikes(prototypes, 0.99)
    assert alike.tolist() == [[False, True, False], [True, False, False], [False, False, False]]
    labels = torch.tensor([0])
    strict, lenient = ArcFace(prototypes, 24.0), ArcFace(prototypes, 24.0, alike)
    near = torch.nn.functional.normalize(prototypes[1:2])
    assert lenient(near, labels, 0.1) < 0.05 < strict(near, labels, 0.1)
