"""The larger recogniser: it answers as the published file does, and comes back from its own export."""

from pathlib import Path

import numpy as np
import onnx
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnxslim")
pytest.importorskip("rapidocr")

import onnxruntime as ort  # noqa: E402

from export.half import store_half  # noqa: E402
from export.lines import TakesGrayLines, export_reader, to_onnx  # noqa: E402
from training.ppocr_small import RECOGNIZER, known_signs  # noqa: E402
from training.reader import WithProbabilities, ctc  # noqa: E402
from training.reader_net import STEP  # noqa: E402
from training.reader_small_net import SmallReaderNet  # noqa: E402
from training.shipped import load_shipped  # noqa: E402

LINES = np.random.default_rng(0).integers(0, 255, (2, 1, 48, 160)).astype(np.float32)


def test_it_answers_as_the_published_file():
    known = known_signs()
    net = SmallReaderNet(len(known)).eval()
    net.start_from_ppocr(RECOGNIZER, known, known)
    session = ort.InferenceSession(RECOGNIZER, providers=["CPUExecutionProvider"])
    expected = session.run(None, {session.get_inputs()[0].name: np.repeat(LINES / 127.5 - 1, 3, axis=1)})[0]
    with torch.inference_mode():
        found = net(torch.from_numpy(LINES)).softmax(-1).numpy()
    assert found.shape == expected.shape == (2, 160 // STEP, 1 + len(known))
    assert expected.max() > 0.5
    assert np.abs(found - expected).max() < 1e-4


def test_known_signs_keep_their_columns_in_our_order_and_new_ones_start_small():
    known = known_signs()
    whole, ours = SmallReaderNet(len(known)).eval(), SmallReaderNet(4).eval()
    whole.start_from_ppocr(RECOGNIZER, known, known)
    ours.start_from_ppocr(RECOGNIZER, known, "7A\ud79d ")
    with torch.inference_mode():
        expected, found = whole(torch.from_numpy(LINES)), ours(torch.from_numpy(LINES))
    columns = [0, *(1 + known.index(sign) for sign in "7A ")]
    assert torch.allclose(found[..., [0, 1, 2, 4]], expected[..., columns], atol=1e-3)
    with torch.no_grad():
        assert 0 < float(ours.signs.weight[3].std()) < float(whole.signs.weight.std())


def test_it_learns_and_its_edges_do_not():
    torch.manual_seed(0)
    net = SmallReaderNet(3).train()
    for part in net.edges():
        part.requires_grad_(False)
    before = [parameter.clone() for part in net.edges() for parameter in part.parameters()]
    optimizer = torch.optim.AdamW([p for p in net.parameters() if p.requires_grad], 1e-3)
    losses = []
    for _ in range(15):
        loss = ctc(net(torch.from_numpy(LINES[..., :96])), [[1], [2, 3]])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.6 * losses[0]
    assert all(torch.equal(a, b) for a, b in zip(before, (p for e in net.edges() for p in e.parameters()), strict=True))


@pytest.fixture(scope="module")
def trained() -> SmallReaderNet:
    torch.manual_seed(1)
    net = SmallReaderNet(12).train()
    for _ in range(3):
        net(torch.from_numpy(LINES))
    return net.eval()


def test_it_is_exported_from_its_checkpoint(trained: SmallReaderNet, tmp_path: Path):
    torch.save({"kind": "small", "signs": "ABCDEFGHIJKL", "average": trained.state_dict()}, tmp_path / "best.pt")
    model, facts = export_reader(tmp_path / "best.pt", None)
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    chances = session.run(None, {"lines": LINES[:, 0].astype(np.uint8)})[0]
    assert chances.shape == (2, 20, 13)
    assert session.get_modelmeta().custom_metadata_map["signs"] == "ABCDEFGHIJKL"
    assert "small" in facts["training_data"][0]


def test_training_goes_on_where_its_file_left_off(trained: SmallReaderNet, tmp_path: Path):
    model = store_half(to_onnx(TakesGrayLines(WithProbabilities(trained, "ABCDEFGHIJKL"))))
    onnx.save(model, str(tmp_path / "r.onnx"))
    net = SmallReaderNet(12).eval()
    load_shipped(net, tmp_path / "r.onnx", torch.from_numpy(LINES))
    with torch.no_grad():
        expected = trained(torch.from_numpy(LINES))
        assert torch.allclose(net(torch.from_numpy(LINES)), expected, atol=0.01 * float(expected.abs().max()))
