"""Search by what a person types."""

import pytest

from pipeline.text_search import search
from tests.pipeline.gallery import small_gallery


@pytest.mark.parametrize("typed", ["beta20", "BETA 20", "20 beta", "beta|20", "be ta 2 0"])
def test_an_imprint_is_found_wherever_its_spaces_are(typed):
    gallery = small_gallery()
    row, agreement, evidence = search(gallery, imprint=typed)[0]
    assert gallery.item(row).name == "Beta 20 mg"
    assert agreement == pytest.approx(1.0)
    assert evidence.imprint == pytest.approx(1.0)


def test_letters_that_no_item_carries_find_nothing():
    assert search(small_gallery(), imprint="xyzzy") == []


def test_nothing_typed_finds_nothing():
    assert search(small_gallery()) == []
