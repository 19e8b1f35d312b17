"""The verdict: what it is drawn from, the split by photo, the bar where it was asked for, and what export gets."""

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("timm")

from training import verdict  # noqa: E402
from training.mask_crops import STORED  # noqa: E402
from training.verdict import VerdictNet, Views, as_served, held_out, load_for_export, shares, told_apart  # noqa: E402
from training.verdict_crops import Collector, Things, apart  # noqa: E402

torch.set_num_threads(1)
CONFIG = {"seed": 1, "folds": 3, "steps": 3, "batch": 4, "rate": 1e-3, "head_factor": 2, "weight_decay": 0.01,
          "smoothing": 0.0, "log_every": 2, "kept": 0.9}  # fmt: skip


def things(count: int = 120) -> Things:
    """Pills of two sources, mistakes of two; ten crops a photo."""
    numbers = np.arange(count)
    is_pill = numbers % 2 == 0
    source = np.where(is_pill, np.where(numbers % 6 == 0, "rare", "often"), np.where(numbers % 3 == 1, "coins", "keys"))
    crops = np.random.default_rng(0).integers(0, 255, (count, STORED, STORED, 3), np.uint8)
    return Things(crops, is_pill, source, np.array([f"photo {n // 10}" for n in numbers]))


def test_crops_of_one_photo_are_on_one_side_of_the_split() -> None:
    made = things()
    out = held_out(made, 3)
    assert 0 < out.sum() < len(out)
    for name in np.unique(made.photo):
        assert len(set(out[made.photo == name])) == 1


def test_pills_and_mistakes_are_drawn_alike_and_rare_sources_more_each() -> None:
    made = things()
    share = shares(made, np.ones(len(made.crops), bool))
    assert share[made.is_pill].sum() == pytest.approx(0.5)
    assert share.sum() == pytest.approx(1)
    assert share[made.source == "rare"].mean() > share[made.source == "often"].mean()
    some = np.arange(len(made.crops)) < 60
    assert (shares(made, some)[~some] == 0).all()


def test_batches_are_the_same_each_time_and_show_only_what_may_be_trained_on() -> None:
    made = things(40)
    rows = ~held_out(made, 3)
    views = Views(made, rows, CONFIG, 1)
    (images, truth), later = views
    assert images.shape == (4, 3, verdict.SIZE, verdict.SIZE)
    assert torch.equal(images, views.batch(1)[0])
    assert not torch.equal(images, later[0])
    assert set(truth.tolist()) <= {0, 1}
    assert views.share[~rows].sum() == 0


def test_the_bar_lets_the_asked_share_of_real_pills_pass() -> None:
    made = things()
    logits = np.arange(len(made.crops), dtype=np.float32)
    passed = told_apart(made, logits, 0.9)
    real = [share for name, share in passed.items() if name.startswith("pill")]
    assert np.mean(real) == pytest.approx(0.9, abs=0.03)
    assert any(name.startswith("mistake: keys") for name in passed)


def test_a_box_that_touches_a_pill_is_no_mistake() -> None:
    pills = np.array([[10, 10, 20, 20]], np.float32)
    assert not apart(np.array([15, 15, 30, 30, 0.9], np.float32), pills)
    assert apart(np.array([21, 10, 30, 20, 0.9], np.float32), pills)


class SeesEverything:
    """A detector that boxes the whole picture, and a corner of it."""

    def detect(self, image: np.ndarray) -> np.ndarray:
        height, width = image.shape[:2]
        return np.array([[0, 0, width, height, 0.9], [0, 0, 8, 8, 0.5], [0, 0, 9, 9, 0.01]], np.float32)


def test_mistakes_are_boxes_clear_of_pills_above_the_score_that_is_asked(tmp_path: Path) -> None:
    collector = Collector({"mistaken": 0.1, "most_per_picture": 5}, tmp_path, SeesEverything())  # type: ignore[arg-type]
    image = np.zeros((64, 64, 3), np.uint8)
    pills = np.array([[40, 40, 60, 60]], np.float32)
    rows = list(collector.mistakes(image, pills, "beside", "photo"))
    assert [(row[1], row[2], row[3]) for row in rows] == [(False, "beside", "photo")]  # the corner alone
    assert rows[0][0].shape == (STORED, STORED, 3)
    assert len(list(collector.mistakes(image, np.zeros((0, 4), np.float32), "none", "photo"))) == 2


def test_boxes_drawn_anywhere_are_clear_of_pills(tmp_path: Path) -> None:
    collector = Collector({"anywhere": 5, "seed": 1}, tmp_path, SeesEverything())  # type: ignore[arg-type]
    image = np.zeros((100, 100, 3), np.uint8)
    image[40:60, 40:60] = 255  # a pill; crops are wider than their boxes and may show its rim, never its middle
    rows = list(collector.anywhere(image, np.array([[40, 40, 60, 60]], np.float32), "photo"))
    assert len(rows) == 5
    middle = slice(STORED // 2 - 4, STORED // 2 + 4)
    assert all(row[0][middle, middle].max() == 0 and not row[1] for row in rows)
    assert not list(collector.anywhere(image, np.array([[0, 0, 100, 100]], np.float32), "photo"))


def test_a_tiny_run_is_one_half_at_the_bar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(VerdictNet, "start_from_imagenet", lambda self, wheels: None)
    made = things(40)
    monkeypatch.setattr(verdict, "collect", lambda config, data, folder: made)
    metrics = verdict.train(CONFIG, tmp_path, None)
    kept = torch.load(tmp_path / "runs/verdict/best.pt", weights_only=True)
    assert kept["bar"] == metrics["passed_held_out"]["bar"]
    net = VerdictNet()
    net.load_state_dict(kept["average"])
    images = torch.from_numpy(as_served(made.crops[:3])).permute(0, 3, 1, 2).float()
    with torch.inference_mode():
        logits = net.eval()(images)
        chances = load_for_export(tmp_path / "runs/verdict/best.pt")(images)
    assert chances.shape == (3, 1)
    assert torch.allclose(chances[:, 0], (logits - kept["bar"]).sigmoid())
