import dataclasses

import numpy as np
import pytest

from pipeline.schemas import CatalogItem
from pipeline.vocabulary import COLORS, FORMS, SHAPES
from training.renderer import FILL, render_pill
from training.rendering.light import Light
from training.rendering.look import COLOR_RGB, Face, PillLook, look_of
from training.rendering.photo import render_group, render_photo
from training.rendering.typeface import BUILT_IN, HANGUL_FONTS, drawable, installed

SIZE = 128
OVERCAST = Light(azimuth=0.0, elevation=1.2, ambient=0.6, hardness=0.0)


def item(**changes: object) -> CatalogItem:
    row = {"item_id": "t:1", "catalog": "t", "name": "t", "shape": "round", "colors": ["white"], "form": "tablet"}
    return CatalogItem.model_validate(row | {"imprint_front": "AB 12", "imprint_back": ""} | changes)


def look(seed: int = 1, **changes: object) -> PillLook:
    return look_of(item(**changes), np.random.default_rng(seed), fonts=BUILT_IN)


def view(pill: PillLook, seed: int = 2, size: int = SIZE, side: str = "front") -> np.ndarray:
    return render_pill(pill, side, size, np.random.default_rng(seed), light=OVERCAST)


def test_alpha_of_a_round_pill_is_the_area_of_its_circle():
    alpha = view(look())[..., 3].astype(float) / 255
    assert alpha.sum() == pytest.approx(np.pi * (SIZE * FILL / 2) ** 2, rel=2e-3)
    assert ((alpha > 0) & (alpha < 1)).sum() > SIZE  # antialiased edge


def test_alpha_of_an_oblong_pill_is_the_area_of_a_stadium():
    pill = dataclasses.replace(look(shape="oblong"), ratio=0.4)
    radius = 0.4 * SIZE * FILL / 2
    area = np.pi * radius**2 + 2 * radius * (SIZE * FILL - 2 * radius)
    assert (view(pill)[..., 3] / 255).sum() == pytest.approx(area, rel=5e-3)


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_fills_its_box_and_leaves_black_outside(shape):
    pill = look(shape=shape)
    rgba = view(pill)
    rows, columns = np.nonzero(rgba[..., 3] > 127)
    assert columns.max() - columns.min() + 1 == pytest.approx(SIZE * FILL, abs=5)
    assert rows.max() - rows.min() + 1 == pytest.approx(SIZE * FILL * pill.ratio, abs=5)
    assert not rgba[rgba[..., 3] == 0].any()


def test_an_unknown_shape_is_refused():
    with pytest.raises(ValueError, match="blob"):
        view(dataclasses.replace(look(), shape="blob"))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("shape", ["round", "oval", "oblong"])
def test_every_form_shows_its_imprint(form, shape):
    pill = look(form=form, shape=shape)
    difference = np.abs(view(pill).astype(int) - view(dataclasses.replace(pill, front=Face())).astype(int))
    assert (difference.max(axis=2) > 12).sum() > 60


@pytest.mark.parametrize("color", COLORS)
def test_color_is_that_of_the_catalogue(color):
    rgba = view(look(colors=[color], imprint_front=""))
    body = rgba[SIZE // 4 : -SIZE // 4, SIZE // 4 : -SIZE // 4, :3]
    assert np.median(body.reshape(-1, 3), axis=0) / 255 == pytest.approx(np.array(COLOR_RGB[color]), abs=0.13)


def test_capsule_halves_have_their_own_colors():
    rgba = view(look(form="hard capsule", shape="oblong", colors=["navy", "yellow"], imprint_front=""))
    middle = rgba[SIZE // 2 - 4 : SIZE // 2 + 4, :, :3].astype(int)
    left, right = middle[:, SIZE // 6 : SIZE // 3], middle[:, -SIZE // 3 : -SIZE // 6]
    assert np.median(left[..., 2] - left[..., 0]) > 25
    assert np.median(right[..., 0] - right[..., 2]) > 25


def test_the_same_seed_draws_the_same_pill_and_another_seed_another():
    assert (view(look(seed=5), seed=6) == view(look(seed=5), seed=6)).all()
    assert (view(look(seed=5), seed=6) != view(look(seed=5), seed=7)).any()
    assert look(seed=5) != look(seed=8)


def test_a_cross_cuts_both_ways():
    pill = dataclasses.replace(look(imprint_front=""), grain=0.0, speckle=0.0, gloss=0.0)
    plain, line, cross = (
        view(dataclasses.replace(pill, front=Face(score_line=s)))[..., :3].astype(int)
        for s in ("none", "line", "cross")
    )
    quarter, middle = SIZE // 4, slice(SIZE // 2 - 3, SIZE // 2 + 3)
    assert np.abs(plain - line)[quarter, middle].max() > 10
    assert np.abs(plain - line)[middle, quarter].max() < 4
    assert np.abs(plain - cross)[middle, quarter].max() > 10


def test_letters_stay_inside_and_clear_of_the_score_line():
    for seed in range(8):
        text = {"imprint_front": "LONGWORD 123456", "imprint_back": "LONGWORD 123456"}
        pill = look(seed, shape="oval", score_line="line", **text)
        pill = dataclasses.replace(pill, style="printed", ink=(0.0, 0.0, 0.0))
        scored = "front" if pill.front.score_line == "line" else "back"
        rgba = view(pill, size=256, side=scored)
        ink, alpha = rgba[..., :3].max(axis=2) < 60, rgba[..., 3]
        assert (ink & (alpha == 255)).sum() > 60
        assert not (ink & (alpha == 255))[:, 125:131].any()
        assert not ink[(alpha > 0) & (alpha < 255)].any()


def test_hangul_is_drawn_where_a_font_is_installed_and_left_out_where_not():
    text = drawable("타이레놀 500")
    assert text == ("타이레놀 500" if installed(HANGUL_FONTS) else "500")
    assert look(imprint_front="타이레놀 500").front.blocks


def test_words_that_describe_a_side_are_not_drawn_as_letters():
    assert look(imprint_front="마크").front.blocks == ()
    assert [line for block in look(imprint_front="L분할선D").front.blocks for line in block.lines] == ["L", "D"]


def test_photo_box_and_mask_are_exact(rendered_photo):
    (pill,) = rendered_photo.pills
    assert rendered_photo.image.shape == (900, 1200, 3)
    rows, columns = np.nonzero(pill.mask)
    assert pill.box == (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
    inside = rendered_photo.image[pill.mask == 255].mean(axis=0)
    assert inside[2] > inside[0] + 20  # blue pill
    assert np.ptp(rendered_photo.image[pill.mask == 0].mean(axis=0)) < 30  # grey paper


def test_both_sides_show_one_pill(rendered_pair):
    front, back = (
        photo.image[photo.pills[0].mask == 255].mean(axis=0) for photo in (rendered_pair.front, rendered_pair.back)
    )
    assert front == pytest.approx(back, abs=30)
    assert rendered_pair.front.image.shape == rendered_pair.back.image.shape


def test_an_exact_angle_and_length_are_kept():
    pill = dataclasses.replace(look(form="hard capsule"), ratio=0.4)
    photo = render_photo(pill, "front", np.random.default_rng(3), width=400, height=400, length=200, angle=90)
    x1, y1, x2, y2 = photo.pills[0].box
    assert y2 - y1 == pytest.approx(200, abs=3)
    assert x2 - x1 == pytest.approx(80, abs=3)


def test_a_group_keeps_its_pills_apart_and_says_when_they_do_not_fit():
    pills = [(look(seed), "front") for seed in range(5)]
    photo = render_group(pills, np.random.default_rng(4), width=480, height=360)
    assert len(photo.pills) == 5
    assert np.stack([p.mask > 127 for p in photo.pills]).sum(axis=0).max() == 1
    with pytest.raises(ValueError, match="no room"):
        render_group(pills, np.random.default_rng(4), width=200, height=150, length=110)
