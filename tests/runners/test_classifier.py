"""Attributes come out in the layout of pipeline.attributes."""

from pathlib import Path

import numpy as np
import pytest

from pipeline.attributes import ATTRIBUTE_WIDTH, Attributes
from pipeline.cutout import cut_out
from runners.classifier import Classifier
from runners.session import ModelError, open_model
from tests.tiny_models import bright_pill


def cutout(color: tuple[int, int, int]) -> np.ndarray:
    photo = bright_pill(color=color)
    return cut_out(photo, photo[..., 0] > 100)


def test_colors_of_a_batch(tiny_models: Path) -> None:
    white, pink = cutout((235, 235, 235)), cutout((245, 170, 190))
    rows = Classifier.open(tiny_models).classify(np.stack([white, pink]))
    assert rows.shape == (2, ATTRIBUTE_WIDTH)
    assert rows.dtype == np.float32
    first, second = (Attributes.from_row(row) for row in rows)
    assert max(first.colors, key=first.colors.__getitem__) == "white"
    assert max(second.colors, key=second.colors.__getitem__) == "pink"
    assert first.shape["round"] == pytest.approx(0.9)


def test_what_lies_under_a_transparent_pixel_is_not_seen(tiny_models: Path) -> None:
    clean = cutout((245, 170, 190))
    dirty = np.where(clean[..., 3:] > 0, clean, [255, 255, 255, 0]).astype(np.uint8)
    classifier = Classifier.open(tiny_models)
    np.testing.assert_array_equal(classifier.classify(clean[None]), classifier.classify(dirty[None]))


def test_a_model_for_other_attributes_is_refused(tiny_models: Path) -> None:
    with pytest.raises(ModelError, match="returns 256 probabilities"):
        Classifier(open_model("embedder", tiny_models))
