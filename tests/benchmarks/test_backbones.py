"""The harness that sets backbones side by side: what a batch holds, what the loss moves, that a run goes on."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

torch = pytest.importorskip("torch")  # the train group is an environment of its own

from benchmarks import backbones  # noqa: E402
from benchmarks.backbone_nets import Student, cost, fit_projection  # noqa: E402
from benchmarks.backbone_training import Course, Critic, Lesson, Reversed, rate_at, tensor, train  # noqa: E402
from benchmarks.backbones import VARIANTS, Lowered, difference, told  # noqa: E402
from benchmarks.packed_views import Packed, draw  # noqa: E402
from benchmarks.retrieval_scores import NOWHERE, Outcome  # noqa: E402
from index.importers.rows import Imprint, ItemRow  # noqa: E402
from training.journal import Journal  # noqa: E402

SIDE = 32
NET = "mobilenetv4_conv_small_035"  # the smallest of its kind: the harness is what is tested


def pictures(count: int, seed: int = 0) -> NDArray[np.uint8]:
    """(count, SIDE, SIDE, 3): a colour each, with a bright upper half."""
    colors = np.random.default_rng(seed).integers(20, 120, (count, 1, 1, 3)).astype(np.uint8)
    images = np.broadcast_to(colors, (count, SIDE, SIDE, 3)).copy()
    images[:, : SIDE // 2] *= 2
    return images


def lesson(classes: int = 24, drawn: int = 0, *, real: bool = False, teacher: bool = True) -> Lesson:
    exact = pictures(classes + drawn)
    targets = torch.nn.functional.normalize(torch.randn(classes + drawn, 8, generator=torch.Generator().manual_seed(0)))
    return Lesson(
        exact, np.stack([exact // 2, exact // 3]), classes, pictures(5, 1) if real else None,
        targets if teacher else None,
    )  # fmt: skip


def test_a_batch_is_references_then_their_views() -> None:
    taught = lesson(classes=20, drawn=10)
    images, labels = taught.batch(3)
    assert images.shape == (48, 3, SIDE, SIDE)
    assert labels[:16].tolist() == labels[16:32].tolist() == labels[32:].tolist()
    assert int((labels[:16] >= 20).sum()) == 4  # the drawn share
    again, same = taught.batch(3)
    assert torch.equal(images, again)
    assert torch.equal(labels, same)
    assert not torch.equal(labels, taught.batch(4)[1])
    for image, label, dimmer in zip(images[[0, 16, 32]], labels[[0, 16, 32]], (1, 2, 3), strict=True):
        assert image.max() == (taught.exact[label] // dimmer).max()


def test_the_gradient_of_the_critic_comes_back_reversed() -> None:
    features = torch.ones(2, 3, requires_grad=True)
    (Reversed.apply(features, 0.5) * 4).sum().backward()
    assert features.grad is not None
    assert features.grad.tolist() == [[-2.0] * 3] * 2


def test_a_critic_learns_what_tells_two_domains_apart() -> None:
    torch.manual_seed(0)
    critic = Critic(4)
    optimizer = torch.optim.Adam(critic.parameters(), lr=0.02)
    views, real = torch.randn(64, 4), torch.randn(64, 4) + torch.tensor([2.0, 0, 0, 0])
    first, _ = critic(views, real, 0.0)
    for _ in range(60):
        loss, right = critic(views, real, 0.0)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss < first
    assert right > 0.75


def test_the_projection_is_fitted_to_the_teacher() -> None:
    torch.manual_seed(0)
    features = torch.randn(400, 12)
    targets = features @ torch.randn(12, 5) + 3
    project = torch.nn.Linear(12, 5)
    fit_projection(project, features, targets)
    unexplained = (project(features) - targets).var() / targets.var()
    assert float(unexplained.detach()) < 0.01


@pytest.mark.parametrize(("teacher", "real"), [(True, False), (True, True), (False, False)])
def test_training_brings_pictures_to_their_classes(tmp_path: Path, *, teacher: bool, real: bool) -> None:
    torch.manual_seed(0)
    student, taught = Student(NET, "scratch", 8), lesson(real=real, teacher=teacher)
    prototypes = lesson().targets
    assert prototypes is not None
    course = train(student, taught, prototypes, seconds=6, rate=3e-3, journal=Journal("run", tmp_path))
    assert course.steps > 5
    assert course.pictures == course.steps * (64 if real else 48)
    assert len(course.critic) == (course.steps if real else 0)
    assert np.mean(course.loss[-3:]) < np.mean(course.loss[:3])


def test_a_run_goes_on_where_it_stopped(tmp_path: Path) -> None:
    journal, taught = Journal("run", tmp_path), lesson()
    assert taught.targets is not None
    first = train(Student(NET, "scratch", 8), taught, taught.targets, seconds=1.5, rate=1e-3, journal=journal)
    student = Student(NET, "scratch", 8)
    second = train(student, taught, taught.targets, seconds=3, rate=1e-3, journal=journal)
    assert second.steps > first.steps
    assert second.loss[: first.steps] == first.loss
    third = train(student, taught, taught.targets, seconds=3, rate=1e-3, journal=journal)
    assert third.steps == second.steps  # spent is spent
    assert not student.training


def test_the_rate_rises_and_falls() -> None:
    shares = np.linspace(0, 1, 50)
    rates = [rate_at(share) for share in shares]
    assert rates[0] < 0.1
    assert max(rates) > 0.98
    assert rates[-1] < 1e-6
    assert np.argmax(rates) < 6
    assert rate_at(1.2) < 1e-6  # the last step may go over the budget


def test_a_network_with_a_start_keeps_its_first_stages() -> None:
    student = Student("tf_efficientnet_lite0", "ImageNet", 8)
    assert student.frozen
    assert not any(part.training for part in student.frozen)
    assert student.backbone.bn2.training
    assert not student.backbone.conv_stem.weight.requires_grad
    assert student.backbone.conv_head.weight.requires_grad
    out = student.eval()(tensor(pictures(2)))
    assert out.shape == (2, 8)
    assert torch.allclose(out.norm(dim=1), torch.ones(2))
    whole = student.backbone((tensor(pictures(2)) - student.mean) / student.std)
    assert torch.allclose(student.features(tensor(pictures(2))), whole, atol=1e-5)  # in two parts, and yet the same


def test_what_the_kept_part_sees_is_made_once_and_gives_the_same_vectors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backbones, "KEPT", tmp_path)
    images = pictures(70)
    packed = Packed(images, np.arange(6), np.stack([images[:6] // 2]), images[:3], np.arange(3), "v")
    student = Student("mobilenetv2_100", "ImageNet", 8)
    lowered = Lowered(student, "x", packed)
    references, queries = lowered.vectors(student)
    with torch.inference_mode():
        straight = student.project(student.features(tensor(images)))
    assert torch.allclose(references, straight, atol=0.02 * float(straight.abs().max()))  # kept as float16
    assert queries.shape == (3, 8)
    assert lowered.views().shape[:2] == (1, 6)
    monkeypatch.setattr(student, "lower", None)  # not asked again
    again, _ = Lowered(student, "x", packed).vectors(student)
    assert torch.equal(again, references)


def test_cost_is_that_of_the_exported_network() -> None:
    times, megabytes = cost(Student(NET, "scratch", 8), SIDE, rounds=4)
    assert len(times) == 4
    assert all(time > 0 for time in times)
    assert 0.3 < megabytes < 6


def test_the_difference_of_two_rows_is_that_of_the_same_photos() -> None:
    better = [Outcome((0,), 0.9), Outcome((1,), 0.8), Outcome((NOWHERE,), 0.1)] * 10
    worse = [Outcome((1,), 0.9), Outcome((3,), 0.8), Outcome((NOWHERE,), 0.1)] * 10
    row = difference(better, worse, "a", "b")
    assert row.value == pytest.approx((0.5 + 0.25 + 0) / 3)
    assert 0 < row.low < row.value < row.high
    assert difference(better, better, "a", "a").high == 0


def test_every_row_is_told_beside_one_that_exists_and_its_course_in_one_line() -> None:
    assert {variant.beside for variant in VARIANTS.values()} <= {"shipped", *VARIANTS}
    line = told("x", Course(20, 960, 12.3, [9.0] * 10 + [3.0] * 20, [0.5] * 30))
    assert line == "| x | 20 | 960 | 12 | 9.00 | 3.00 | 0.50 |"


def test_drawn_pills_carry_their_imprint_and_a_hard_mask() -> None:
    rows = [
        ItemRow(
            key=str(number), name="x", imprints=(Imprint(front=front, back=""),), imprint_source="catalog",
            shapes=("round",), colors_front=("white",), form="tablet",
        )
        for number, front in enumerate(["AB12", "", "C7", "D"])
    ]  # fmt: skip
    pills = draw(rows, 2)
    assert 1 <= len(pills) <= 2
    for pill in pills:
        assert pill.file != "1"  # nothing stands on it: one blank face is like another
        assert set(np.unique(pill.rgba[..., 3])) == {0, 255}
