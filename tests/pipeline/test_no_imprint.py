"""The chance that a side on which nothing was read is blank."""

import numpy as np
import pytest

from pipeline.attributes import ATTRIBUTE_WIDTH, LAYOUT, Attributes
from pipeline.no_imprint import SILENT, chance_of_no_imprint


def seen(imprinted: float) -> Attributes:
    row = np.full(ATTRIBUTE_WIDTH, 0.1, np.float32)
    row[LAYOUT["imprinted"]] = imprinted
    return Attributes.from_row(row)


def test_the_more_the_classifier_sees_the_less_likely_it_is_blank():
    chances = [chance_of_no_imprint(seen(imprinted)) for imprinted in (0.0, 0.1, 0.5, 0.9, 1.0)]
    assert chances == sorted(chances, reverse=True)
    assert all(0 < chance < 1 for chance in chances)


def test_without_the_classifier_it_is_as_often_blank_as_silence_was():
    assert chance_of_no_imprint(None) == pytest.approx(SILENT)
