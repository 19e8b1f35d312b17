"""The two networks, their losses, and training that can be interrupted."""

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")  # the train group is an environment of its own
pytest.importorskip("timm")

from pipeline.attributes import ATTRIBUTE_WIDTH, HEADS, LAYOUT, MULTI_LABEL  # noqa: E402
from training import background, classifier  # noqa: E402
from training.attribute_labels import put, unknown  # noqa: E402
from training.attribute_net import AttributeNet, Probabilities, head_losses  # noqa: E402
from training.background import mask_loss  # noqa: E402
from training.mask_net import MaskNet  # noqa: E402
from training.trainee import Trainee  # noqa: E402

torch.set_num_threads(1)


def test_mask_net_answers_at_the_size_it_is_asked() -> None:
    net = MaskNet().eval()
    with torch.inference_mode():
        for size in (64, 96):
            assert net(torch.zeros(2, 3, size, size)).shape == (2, 1, size, size)


@pytest.mark.parametrize("make", [MaskNet, AttributeNet])
def test_frozen_parts_keep_their_statistics_in_training(make: type) -> None:
    net = make().train()
    before = [b.clone() for part in net.frozen() for b in part.buffers()]
    net(torch.rand(2, 3, 64, 64) * 255)
    after = [b for part in net.frozen() for b in part.buffers()]
    assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True))
    assert any(module.training for module in net.modules())


def test_mask_loss_is_small_only_for_the_right_mask() -> None:
    target, inexact = torch.zeros(1, 1, 16, 16), torch.tensor([False])
    target[..., 4:12, 4:12] = 1
    right, wrong = (target - 0.5) * 20, (0.5 - target) * 20
    assert mask_loss(right, target, inexact) < 0.01
    assert mask_loss(wrong, target, inexact) > 5
    assert mask_loss(torch.zeros_like(target), target, inexact) > 0.5


def test_exact_rims_cost_more() -> None:
    target = torch.zeros(1, 1, 16, 16)
    target[..., 4:12, 4:12] = 1
    frayed = (target - 0.5) * 20
    frayed[..., 4, :] *= -1  # the outermost row of the pill is taken for background, and its neighbours for pill
    exact = torch.tensor([True])
    assert mask_loss(frayed, target, exact) > mask_loss(frayed, target, ~exact)


def test_probabilities_are_calibrated_and_sum_to_one() -> None:
    net = AttributeNet().eval()
    images = torch.rand(3, 3, 64, 64) * 255
    with torch.inference_mode():
        plain = Probabilities(net, {})(images)
        cool = Probabilities(net, {"shape": 0.5})(images)
    assert plain.shape == (3, ATTRIBUTE_WIDTH)
    for head in set(HEADS) - MULTI_LABEL:
        assert torch.allclose(plain[:, LAYOUT[head]].sum(dim=1), torch.ones(3), atol=1e-5)
    assert (cool[:, LAYOUT["shape"]].amax(dim=1) > plain[:, LAYOUT["shape"]].amax(dim=1)).all()
    assert torch.equal(cool[:, LAYOUT["colors"]], plain[:, LAYOUT["colors"]])


def test_what_is_unknown_costs_nothing() -> None:
    logits = torch.zeros(2, ATTRIBUTE_WIDTH, requires_grad=True)
    one, nothing = unknown(), unknown()
    put(one, "form", ["tablet"])
    losses = head_losses(logits, torch.from_numpy(np.stack([one, nothing])))
    assert set(losses) == {"form"}
    losses["form"].backward()
    assert logits.grad is not None
    assert logits.grad[1].abs().sum() == 0
    assert logits.grad[0, LAYOUT["form"]].abs().sum() > 0


def test_any_allowed_word_will_do() -> None:
    row = unknown()
    put(row, "shape", ["oval", "oblong"])
    labels = torch.from_numpy(row[None])
    either = torch.full((1, ATTRIBUTE_WIDTH), -20.0)
    either[0, LAYOUT["shape"].start + HEADS["shape"].index("oblong")] = 20
    neither = torch.full((1, ATTRIBUTE_WIDTH), -20.0)
    neither[0, LAYOUT["shape"].start + HEADS["shape"].index("round")] = 20
    assert head_losses(either, labels)["shape"] < 0.01
    assert head_losses(neither, labels)["shape"] > 10


def test_a_resumed_run_ends_where_an_uninterrupted_one_does() -> None:
    def start() -> Trainee:
        torch.manual_seed(0)
        net = torch.nn.Linear(3, 1)
        return Trainee(net, [(list(net.parameters()), 0.1)], steps=6, weight_decay=0.01)

    def go(run: Trainee, first: int, last: int) -> None:
        for step in range(first, last):
            run.learn((run.net(torch.full((4, 3), float(step))) - 1).square().mean())

    whole = start()
    go(whole, 0, 6)
    half = start()
    go(half, 0, 3)
    rest = start()
    rest.resume(half.state())
    go(rest, 3, 6)
    assert torch.allclose(rest.net.weight, whole.net.weight)
    assert torch.allclose(rest.average.module.weight, whole.average.module.weight)


TINY_MASK = {
    "start": None, "seed": 1, "scenes_seed": 1, "scenes": 6, "scenes_held_out": 3, "annotated_share": 0.5, "steps": 3,
    "batch": 2, "small_size": 64, "small_share": 1.0, "rate": 1e-3,
    "decoder_factor": 2, "weight_decay": 0.01, "log_every": 2,
}  # fmt: skip
TINY_ATTRIBUTES = {
    "seed": 1, "size": 64, "small_size": 64, "small_share": 1.0, "steps": 3, "batch": 4, "drawn_share": 0.5,
    "exact_share": 0.5, "drawn_calibration": 4, "dropout": 0.1, "rate": 1e-3, "heads_factor": 2,
    "weight_decay": 0.01, "weights": dict.fromkeys(HEADS, 1.0), "log_every": 2,
}  # fmt: skip


@pytest.fixture
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to train in, with networks that start from noise."""
    monkeypatch.chdir(tmp_path)
    for net in (MaskNet, AttributeNet):
        monkeypatch.setattr(net, "start_from_imagenet", lambda self, wheels: None)
    return tmp_path


@pytest.mark.parametrize(("module", "config"), [(background, TINY_MASK), (classifier, TINY_ATTRIBUTES)])
def test_a_tiny_run_leaves_weights_that_can_be_exported(module, config, pill_data: Path, empty_folder: Path) -> None:
    module.train(config, pill_data, None)
    folder = empty_folder / "runs" / module.__name__.rsplit(".", 1)[1]
    assert len((folder / "log.csv").read_text().splitlines()) == 3  # header, step 2, step 3
    exported = module.load_for_export(folder / "best.pt")
    with torch.inference_mode():
        answer = exported(torch.rand(1, 3, 192, 192) * 255)
    assert answer.shape[0] == 1
    assert ((answer >= 0) & (answer <= 1)).all()
