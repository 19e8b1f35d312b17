"""Lines along the rim of a round pill."""

from dataclasses import replace

import numpy as np
import pytest

from pipeline.cutout import cut_out
from pipeline.schemas import CatalogItem, Reading
from runners.ocr import RIM_LETTERS, RIM_SURE, Reader, letters_read
from runners.ocr_relief import relief
from runners.ocr_rim import AROUND, HEIGHT, LONGEST, rim_lines
from training.renderer import render_pill
from training.rendering.look import Block, Face, look_of


def face(word: str, *, rim: bool = True, shape: str = "round", seed: int = 4) -> np.ndarray:
    rng = np.random.default_rng(seed)
    item = CatalogItem(
        item_id="r:1", catalog="r", name="r", imprint_front=word, imprint_back="", form="tablet", shape=shape,
        colors=["blue"], score_line="none",
    )  # fmt: skip
    look = replace(look_of(item, rng), rim_text=rim, style="printed", font="hershey-duplex")
    look = replace(look, front=Face((Block((word,)),) if word else ()))
    rgba = render_pill(look, "front", 384, rng)
    return cut_out(rgba[..., :3], rgba[..., 3])


def letters(reading: Reading) -> str:
    """Letters along a rim stand apart: some of the gaps are read as spaces."""
    return reading.text.replace(" ", "")


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader.open()


@pytest.mark.parametrize("quarter", range(4))
def test_a_word_along_the_rim_is_read_wherever_it_begins(reader, quarter):
    turned = np.ascontiguousarray(np.rot90(face("UPSHER"), quarter))
    readings = [r for r in reader.read(turned[None])[0] if r.confidence >= RIM_SURE and len(r.text) >= RIM_LETTERS]
    assert "UPSHER" in map(letters, readings)


def test_the_box_holds_the_word_once_the_cut_out_is_turned(reader):
    bent = face("UPSHER")
    reading = next(r for r in reader.read(bent[None])[0] if letters(r) == "UPSHER")
    left, top, right, bottom = reading.box
    assert 30 < top < bottom < 192  # at the top of the turned cut-out
    assert abs((left + right) / 2 - 192) < 5
    assert min(reading.rotation, 360 - reading.rotation) < 30  # the word stands over the top already


def test_the_ring_is_read_in_both_ways_and_in_half_its_length_at_most():
    lines = rim_lines(relief(face("LENIPRIL")))
    assert [line.quarter for line in lines] == [0, 2]
    assert all(line.pixels.shape[0] == HEIGHT and line.pixels.shape[1] <= LONGEST < AROUND for line in lines)
    assert np.array_equal(lines[0].pixels, np.rot90(lines[1].pixels, 2))


def test_only_a_round_pill_has_such_a_line():
    assert rim_lines(relief(face("LENIPRIL", rim=False, shape="oblong"))) == []
    assert rim_lines(np.full((384, 384, 3), 128, np.uint8)) == []


def test_nothing_is_made_up_on_a_blank_face(reader):
    assert letters_read(reader.read(face("")[None])[0]) < 1
