"""`python -m export` around the parts: a module goes in, a manifest entry and a loadable file come out."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnxslim")

from export.__main__ import export, main, quantised  # noqa: E402
from export.parity import ParityError  # noqa: E402
from export.targets import TARGETS, Target, boxes_that_count  # noqa: E402
from tests.export.test_graph import SIZE, TinyNet  # noqa: E402


@pytest.fixture
def target() -> Target:
    return replace(TARGETS["classifier"], size=SIZE, shape=("n", 4))


@pytest.fixture
def module() -> "torch.nn.Module":
    torch.manual_seed(0)
    return TinyNet().eval()


def test_facts_state_what_serving_and_people_need(target: Target, module: "torch.nn.Module") -> None:
    _, facts = export(target, module, None)
    assert facts["input"]["shape"] == ["n", SIZE, SIZE, 3]
    assert facts["output"]["name"] == "probabilities"
    assert facts["output"]["shape"] == ["n", 4]
    parity = facts["parity"]
    assert not parity["real"]
    assert parity["float32"]["largest_difference"] <= parity["float16_weights"]["largest_difference"]


def test_size_of_the_module_itself_wins(target: Target, module: "torch.nn.Module") -> None:
    module.input_size = 2 * SIZE
    assert export(target, module, None)[1]["input"]["shape"] == ["n", 2 * SIZE, 2 * SIZE, 3]


def test_storage_that_costs_too_much_stops_the_export(target: Target, module: "torch.nn.Module") -> None:
    with pytest.raises(ParityError, match="differs from torch"):
        export(replace(target, half_tolerance=1e-9), module, None)


def test_command_writes_the_file_and_its_entry(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, target: Target, module: "torch.nn.Module"
) -> None:
    run = tmp_path / "run"
    run.mkdir()
    (run / "best.pt").write_bytes(b"any")
    (run / "metrics.json").write_text('{"shape": 0.9}')
    monkeypatch.setitem(TARGETS, "classifier", target)
    monkeypatch.setattr(Target, "load", lambda _self, _checkpoint: module)
    monkeypatch.delenv("PILLSCOPE_DATA", raising=False)
    main(["classifier", "--checkpoint", str(run / "best.pt"), "--models", str(tmp_path / "models")])
    entry = json.loads((tmp_path / "models/manifest.json").read_text())["models"]["classifier"]
    assert entry["metrics"] == {"shape": 0.9}
    assert (tmp_path / "models/classifier.onnx").stat().st_size == entry["bytes"]


def test_missing_checkpoint_says_what_to_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["embedder", "--checkpoint", str(tmp_path / "none.pt")])
    assert "python -m training embedder" in capsys.readouterr().err


def test_int8_copy_is_smaller_and_stays_near(
    target: Target, module: "torch.nn.Module", capsys: pytest.CaptureFixture[str]
) -> None:
    model, _ = export(target, module, None)
    small = quantised(target, model, None)
    assert any(node.op_type == "QuantizeLinear" for node in small.graph.node)
    report = json.loads(capsys.readouterr().out.removeprefix("int8:"))
    assert 0 < report["mean_difference"] <= report["largest_difference"] < 0.1
    assert report["int8_ms"] > 0


def test_of_a_detector_all_scores_count_but_only_boxes_that_are_read() -> None:
    predictions = np.zeros((1, 5, 3), np.float32)
    predictions[0, 4] = [0.9, 0.01, 0.05]
    assert boxes_that_count(predictions)[0].tolist() == [[True, False, True]] * 4 + [[True] * 3]
