"""The runners in one process: a photo goes through all five, off the event loop."""

import asyncio
from pathlib import Path

import numpy as np
import pytest

from pipeline.attributes import ATTRIBUTE_WIDTH
from pipeline.cutout import crop_around, cut_out
from pipeline.ports import Runners
from runners.local import load_local_runners
from runners.session import ModelError
from tests.tiny_models import READS, bright_pill


@pytest.fixture(scope="module")
def runners(tiny_models: Path) -> Runners:
    return load_local_runners(tiny_models)


async def test_a_photo_goes_through_all_five(runners: Runners) -> None:
    photo = bright_pill()
    boxes = await runners.detector.detect(photo)
    crop = crop_around(photo, tuple(boxes[0, :4]))
    masks = await runners.background.mask(crop.pixels[None])
    cutouts = cut_out(crop.pixels, masks[0])[None]
    attributes, vectors, readings = await asyncio.gather(
        runners.classifier.classify(cutouts), runners.embedder.embed(cutouts), runners.ocr.read(cutouts)
    )
    assert attributes.shape == (1, ATTRIBUTE_WIDTH)
    assert vectors.shape == (1, 4, 256)
    assert {reading.text for reading in readings[0]} == {READS}


async def test_the_event_loop_stays_free(runners: Runners) -> None:
    turns, computing = 0, asyncio.create_task(runners.embedder.embed(np.zeros((64, 384, 384, 4), np.uint8)))
    while not computing.done():
        await asyncio.sleep(0.001)
        turns += 1
    assert turns > 5  # computed on the loop itself, it would be done after one


def test_a_missing_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"manifest\.json"):
        load_local_runners(tmp_path)
