"""The detector's training from configuration to metrics on a handful of tiny pictures, and what export gets of it."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("ultralytics")

from ultralytics.nn.tasks import DetectionModel  # noqa: E402

from tests.training.test_detector_data import SquareScenes, coco_folder, config  # noqa: E402
from training import detector  # noqa: E402

SIZE = 64


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Photos to train on and to measure on, and a start checkpoint."""
    root = tmp_path / "data"
    coco_folder(root, 5)
    check = root / "detect" / detector.CHECKS[0]
    (check / "img").mkdir(parents=True)
    cv2.imwrite(str(check / "img/0.jpg"), np.zeros((50, 100, 3), np.uint8))
    image = {"id": 0, "file_name": "img/0.jpg", "width": 100, "height": 50}
    note = {"image_id": 0, "bbox": [10, 10, 30, 20]}
    (check / "coco.json").write_text(json.dumps({"images": [image], "annotations": [note]}))
    torch.save({"model": DetectionModel("yolov5n.yaml", nc=3, verbose=False)}, root / "start.pt")
    return root


def test_training_runs_its_stages_once_and_reports(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = tmp_path / "runs"
    monkeypatch.setattr(detector, "RUNS", runs)
    monkeypatch.setattr(detector, "SceneGenerator", lambda _data: SquareScenes())
    settings = {
        **config(),
        "threads": 1,
        "network": "yolov5n.yaml",
        "start": "start.pt",
        "stages": [{"imgsz": 32, "epochs": 1}, {"imgsz": SIZE, "epochs": 1}],
        "train": {"optimizer": "AdamW", "batch": 8},
    }
    metrics = detector.train(settings, data)
    assert metrics["input_size"] == SIZE
    assert set(metrics) == {"input_size", "validation", detector.CHECKS[0]}
    assert metrics == json.loads((runs / "metrics.json").read_text())
    assert "tensors start from start.pt" in (runs / "train.log").read_text()

    before = [(runs / f"stage-{n}/weights/best.pt").stat().st_mtime_ns for n in (1, 2)]
    detector.train(settings, data)
    assert before == [(runs / f"stage-{n}/weights/best.pt").stat().st_mtime_ns for n in (1, 2)]

    module = detector.load_for_export(runs / "best.pt")
    assert module.input_size == SIZE
    with torch.inference_mode():
        found = module(torch.full((1, 3, SIZE, SIZE), 255.0))
    anchors = sum((SIZE // stride) ** 2 for stride in (8, 16, 32))
    assert found.shape == (1, 5, anchors)
    assert ((found[0, 4] >= 0) & (found[0, 4] <= 1)).all()
    assert (found[0, :2] >= -SIZE).all()
    assert (found[0, :2] <= 2 * SIZE).all()


def test_rate_falls_within_the_epoch() -> None:
    class Run:
        epoch, step = 1, 0
        train_loader = range(4)
        optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)

        def lf(self, progress: float) -> float:
            return 1 - progress / 2

    run = Run()
    run.optimizer.param_groups[0]["initial_lr"] = 0.1
    rates = []
    for _ in range(4):
        detector._lower_rate(run)
        rates.append(run.optimizer.param_groups[0]["lr"])
    assert rates == pytest.approx([0.05, 0.0375, 0.025, 0.0125])


def test_configuration_without_a_stage_is_refused(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(detector, "RUNS", tmp_path / "runs")
    monkeypatch.setattr(detector, "SceneGenerator", lambda _data: SquareScenes())
    with pytest.raises(ValueError, match="no stage"):
        detector.train({**config(), "stages": []}, data)
