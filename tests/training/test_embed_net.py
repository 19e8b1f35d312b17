"""The embedder's network goes on from its exported file; its head forgives what nobody can tell apart."""

from pathlib import Path

import onnx
import pytest

torch = pytest.importorskip("torch")  # the train group is an environment of its own
pytest.importorskip("onnxslim")

from export.graph import TakesPhotos, to_onnx  # noqa: E402
from training.embed_net import ArcFace, EmbedNet, look_alikes  # noqa: E402
from training.shipped import NotTheSameNetwork, load_shipped  # noqa: E402

torch.set_num_threads(1)


def test_the_network_comes_back_as_it_was(tmp_path: Path) -> None:
    torch.manual_seed(0)
    net, images = EmbedNet(32), torch.rand(16, 3, 64, 64) * 255
    for norm in net.modules():  # batch norms of a trained net are no identities
        if isinstance(norm, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(norm.weight, 0.5, 2)
            torch.nn.init.normal_(norm.running_mean)
    path = tmp_path / "embedder.onnx"
    onnx.save(to_onnx(TakesPhotos(net.eval(), 2), 64, "embedding", batched=True), str(path))
    back = EmbedNet(32)
    load_shipped(back, path, images)
    with torch.no_grad():
        assert torch.allclose(back.eval()(images), net(images), atol=1e-4)
    with pytest.raises(NotTheSameNetwork):
        load_shipped(EmbedNet(16), path, images)


def test_taking_one_look_alike_for_the_other_is_no_mistake() -> None:
    prototypes = torch.tensor([[1.0, 0.0], [0.999, 0.04], [0.0, 1.0]])
    alike = look_alikes(prototypes, 0.99)
    assert alike.tolist() == [[False, True, False], [True, False, False], [False, False, False]]
    labels = torch.tensor([0])
    strict, lenient = ArcFace(prototypes, 24.0), ArcFace(prototypes, 24.0, alike)
    near = torch.nn.functional.normalize(prototypes[1:2])
    assert lenient(near, labels, 0.1) < 0.05 < strict(near, labels, 0.1)
