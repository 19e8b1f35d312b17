"""What the export is handed, and the light on consumer-like views."""

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")  # the train group is an environment of its own

from training.embed_net import EmbedNet  # noqa: E402
from training.embedder import load_for_export  # noqa: E402
from training.views import lamp  # noqa: E402


def test_the_model_is_exported_at_the_size_the_config_names(tmp_path: Path) -> None:
    torch.save({"average": EmbedNet(16).state_dict(), "config": {"size": 128, "input": 96}}, tmp_path / "best.pt")
    net = load_for_export(tmp_path / "best.pt")
    assert net.input_size == 96
    assert not net.training


def test_lamps_are_mostly_warm_mostly_dim_and_often_off() -> None:
    rng, grey = np.random.default_rng(0), np.full((4, 4, 3), 128, np.float32)
    mean = np.stack([lamp(grey, rng).reshape(-1, 3)[0] for _ in range(400)]).astype(float)
    cast = np.log(mean[:, 2] / mean[:, 1])
    assert np.quantile(cast, 0.05) < -0.25  # blue against green, as on the development photos
    assert (np.abs(cast) < 0.02).mean() > 0.4
    assert np.log(mean.mean(axis=1) / 128).min() < -0.5
    assert mean.max() <= 255
