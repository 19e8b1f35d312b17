"""What more than one test file needs: photos drawn by our own renderer, so that no test depends on data or fonts."""

import io
from dataclasses import dataclass

import numpy as np
import pytest
from PIL import Image

from pipeline.schemas import CatalogItem
from training.rendering.look import PillLook, look_of
from training.rendering.photo import RenderedPhoto, render_pair
from training.rendering.typeface import BUILT_IN

RENDERED_ITEM = CatalogItem(
    item_id="test:lovastatin-20",
    catalog="test",
    name="lovastatin 20 mg",
    imprint_front="TEVA",
    imprint_back="576",
    shape="round",
    colors=["blue"],
    form="tablet",
    score_line="none",
)
"""As in the US catalogue (us-nih:93-576), so that the shipped index knows this pill too."""


@dataclass(frozen=True, slots=True)
class RenderedPair:
    """Both sides of one pill, photographed one after the other."""

    item: CatalogItem
    front: RenderedPhoto
    back: RenderedPhoto


def as_jpeg(image: np.ndarray, quality: int = 90) -> bytes:
    """A JPEG file of an (H, W, 3) uint8 RGB image."""
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def rendered_look() -> PillLook:
    return look_of(RENDERED_ITEM, np.random.default_rng(11), fonts=BUILT_IN)


@pytest.fixture(scope="session")
def rendered_pair() -> RenderedPair:
    """Front and back of RENDERED_ITEM on paper: image, box and mask of each."""
    front, back = render_pair(rendered_look(), np.random.default_rng(12), surface="paper", roughness=0.3)
    return RenderedPair(RENDERED_ITEM, front, back)


@pytest.fixture(scope="session")
def rendered_photo(rendered_pair: RenderedPair) -> RenderedPhoto:
    """One photo of the front of RENDERED_ITEM."""
    return rendered_pair.front
