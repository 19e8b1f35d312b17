import re
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.drawing import draw_item
from pipeline.drawing_outline import outline_of
from pipeline.drawing_text import MAX_LETTERS, Space, fit, width_of
from pipeline.schemas import CatalogItem
from pipeline.vocabulary import COLORS, FORMS, SHAPES

SVG = "{http://www.w3.org/2000/svg}"


def item(**changes: object) -> CatalogItem:
    row = {"item_id": "t:1", "catalog": "t", "name": "Aspirin", "shape": "oval", "colors": ["white"], "form": "tablet"}
    return CatalogItem.model_validate(row | {"imprint_front": "AB 12", "imprint_back": "34"} | changes)


def drawn(**changes: object) -> ET.Element:
    return ET.fromstring(draw_item(item(**changes)))


def texts(svg: ET.Element) -> list[str]:
    return [element.text or "" for element in svg.iter(f"{SVG}text")]


def outline_box(svg: ET.Element) -> tuple[float, float]:
    """Width and height of the pill's clip path, px."""
    path = svg.find(f".//{SVG}clipPath/{SVG}path")
    assert path is not None
    numbers = [float(n) for n in re.findall(r"-?\d+\.?\d*", re.sub(r"A[^A-Z]*?0 1 1", "L", path.attrib["d"]))]
    xs, ys = numbers[0::2], numbers[1::2]
    return max(xs) - min(xs), max(ys) - min(ys)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("shape", [*SHAPES, None])
def test_every_shape_and_form_shows_both_sides(shape, form):
    svg = drawn(shape=shape, form=form, imprint_front="AB", imprint_back="34")
    assert texts(svg) == ["AB", "front", "34", "back"]


@pytest.mark.parametrize("color", COLORS)
def test_every_color_is_painted_and_its_letters_contrast_with_it(color):
    svg = drawn(colors=[color], imprint_front="AB", imprint_back="CD")
    paint = {stop.attrib["stop-color"] for stop in svg.findall(f".//{SVG}linearGradient/{SVG}stop")}
    letters = {text.attrib["fill"] for text in svg.iter(f"{SVG}text") if text.text in ("AB", "CD")}
    assert len(paint) == len(letters) == 1
    assert letters == ({"#ffffff"} if color in ("navy", "black", "red", "brown", "magenta", "purple") else {"#1f2a37"})


def test_what_a_catalogue_says_cannot_become_markup():
    text = draw_item(item(name="<script>alert(1)</script>", imprint_front='"><script>x</script>', item_id='t:"<&'))
    assert "<script" not in text
    assert "<script>alert(1)</script>" in [e.text for e in ET.fromstring(text).iter(f"{SVG}title")]


@given(st.text(max_size=80), st.text(max_size=80))
def test_any_text_gives_valid_xml(name, imprint):
    ET.fromstring(draw_item(item(name=name, imprint_front=imprint, imprint_back=imprint)))


def test_nothing_is_fetched_or_run():
    text = draw_item(item(form="soft capsule", colors=["transparent"]))
    assert set(re.findall(r"url\((.)", text)) == {"#"}
    assert not re.search(r"\s(href|xlink:href|src|style|on\w+)=", text)


def test_capsule_halves_have_their_colors_in_order():
    svg = drawn(form="hard capsule", colors=["black", "yellow"])
    stops = [stop.attrib["stop-color"] for stop in svg.findall(f".//{SVG}linearGradient/{SVG}stop")][:4]
    assert stops[0] == stops[1] == "#2b2b2e"
    assert stops[2] == stops[3] == "#f6d94c"
    fills = {text.text: text.attrib["fill"] for text in svg.iter(f"{SVG}text")}
    assert (fills["AB"], fills["12"]) == ("#ffffff", "#1f2a37")


def test_measured_sizes_give_the_true_proportions():
    width, height = outline_box(drawn(shape="oblong", length_mm=20.0, width_mm=5.0))
    assert height / width == pytest.approx(0.25, abs=0.01)


def test_what_is_not_known_is_drawn_as_unknown():
    svg = drawn(imprint_back=None, shape=None, colors=[])
    assert texts(svg) == ["AB 12", "front", "?", "back", "imprint unknown"]
    assert any("stroke-dasharray" in path.attrib for path in svg.iter(f"{SVG}path"))
    assert "colour not stated shape not stated" in draw_item(item(imprint_back=None, shape=None, colors=[]))


def test_a_blank_side_is_known_to_be_blank():
    assert texts(drawn(imprint_back="")) == ["AB 12", "front", "back", "blank"]


def test_unknown_sides_are_not_called_front_and_back():
    assert {"one side", "other side"} <= set(texts(drawn(sides_known=False)))


def test_one_imprint_for_both_sides_is_drawn_once_and_nothing_called_unknown():
    assert texts(drawn(sides_known=False, imprint_back=None)) == ["AB 12", "one or both sides"]
    assert "on one or both sides: “AB 12”." in draw_item(item(sides_known=False, imprint_back=None))
    assert "?" in texts(drawn(sides_known=False, imprint_front=None, imprint_back=None))


def test_captions_speak_korean_too():
    captions = texts(ET.fromstring(draw_item(item(imprint_back=""), "ko")))
    assert captions == ["AB 12", "앞면", "뒷면", "글자 없음"]


def test_a_score_line_divides_the_imprint():
    assert texts(drawn(score_line="line"))[:3] == ["AB", "12", "front"]
    assert "score line: cross (side not stated)" in draw_item(item(score_line="cross"))


def test_words_of_the_korean_list_become_what_they_stand_for():
    svg = drawn(imprint_front="마크", imprint_back="D분할선7.5", score_line="line")
    assert texts(svg) == ["◇", "front", "D", "7.5", "back"]
    assert [len(panel.findall(f".//{SVG}path[@stroke-width='2.4']")) for panel in svg.findall(f"{SVG}g")] == [0, 1]
    assert "score line: line." in draw_item(item(imprint_back="D분할선7.5", score_line="line"))


def test_title_and_description_name_the_picture():
    svg = drawn()
    named = svg.attrib["aria-labelledby"].split()
    ids = {element.attrib["id"]: element for element in svg.iter() if "id" in element.attrib}
    assert svg.attrib["role"] == "img"
    assert [ids[name].tag for name in named] == [f"{SVG}title", f"{SVG}desc"]
    assert "“AB 12”" in (ids[named[1]].text or "")


def test_a_long_imprint_is_cut_and_the_description_keeps_it():
    imprint = "LONG " * 20 + "END"
    svg = drawn(imprint_front=imprint)
    assert any(text.endswith("…") for text in texts(svg))
    assert imprint in draw_item(item(imprint_front=imprint))


@pytest.mark.parametrize("text", ["TEVA", "AN IMPRINT OF MANY WORDS", "타이레놀 500 밀리그람", "W" * MAX_LETTERS])
@pytest.mark.parametrize("shape", SHAPES)
def test_letters_stay_inside_the_outline(shape, text):
    outline = outline_of(shape, 88, 50)
    for line in fit(text, Space(outline, -88, 88, -50, 50)):
        width = min(line.width or 1e9, width_of(line.text) * line.size)
        assert width / 2 <= min(outline.room(line.y - 0.3 * line.size), outline.room(line.y + 0.3 * line.size))
