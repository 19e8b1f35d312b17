"""Every word of every source ends up in our vocabulary, or is reported."""

import pytest
from pydantic import ValidationError

from index.vocabulary import SourceWords, load_vocabulary, translator
from pipeline.vocabulary import CATALOGS, COLORS, FORMS, SHAPES

EMPTY = {"colors": {}, "shapes": {}, "forms": {}, "score_lines": {}, "form_in_name": []}


def test_the_table_covers_every_shipped_catalogue_and_every_word_of_ours():
    vocabulary = load_vocabulary()
    assert set(CATALOGS) < set(vocabulary)
    korean, own = vocabulary["kr-mfds"], vocabulary["table"]
    for words in (korean, own):
        assert {c for values in words.colors.values() for c in values} == set(COLORS)
        assert {s for values in words.shapes.values() for s in values} == set(SHAPES)
        assert {f for values in words.forms.values() for f in values} == set(FORMS)
    assert all(word.upper() in own.colors for word in COLORS)  # our own words are always understood


@pytest.mark.parametrize(
    "wrong",
    [
        {"colors": {"MAUVE": "mauve"}},
        {"shapes": {"BLOB": ["round", "blobby"]}},
        {"forms": {"X": ["tablet", "soft capsule"]}},
        {"form_in_name": [{"contains": ["TAB"], "form": "pastille"}]},
        {"form_in_name": [{"contains": ["TAB"], "form": "tablet", "shapes": ["blobby"]}]},
        {"smells": {}},
    ],
)
def test_a_table_with_words_that_we_do_not_have_is_refused(wrong):
    with pytest.raises(ValidationError):
        SourceWords.model_validate(EMPTY | wrong)


def test_words_are_found_in_any_case_width_and_spacing():
    words = translator("us-nih")
    assert words.colors(["white", " Turquoise ", "ＷＨＩＴＥ"]) == ("white", "teal")
    assert words.shapes("semi-circle") == ("semicircle",)


def test_unknown_words_are_counted_not_fatal():
    words = translator("tw-tfda")
    assert words.colors(["白", "彩虹", "彩虹"]) == ("white",)
    assert words.unknown == {("colors", "彩虹"): 2}
    assert translator("tw-tfda").unknown == {}


def test_an_ambiguous_shape_keeps_all_its_meanings():
    assert translator("tw-tfda").shapes("四邊形") == ("oblong", "square")


def test_modifiers_of_korean_colours_are_known_and_mean_nothing():
    words = translator("kr-mfds")
    assert words.colors(["분홍", " 옅은"]) == ("pink",)
    assert not words.unknown


@pytest.mark.parametrize(
    ("source", "name", "shape", "form"),
    [
        ("us-nih", "duloxetine 20 MG Delayed Release Oral Capsule", "oblong", "hard capsule"),
        ("us-nih", "dutasteride 0.5 MG Oral Capsule", "oval", "soft capsule"),
        ("us-nih", "ibuprofen 800 MG Oral Tablet", "oblong", "tablet"),
        ("us-nih", "", "triangle", "tablet"),
        ("us-nih", "", "oblong", None),  # a capsule, or a tablet of that shape
        ("tw-tfda", "Zcough Soft Capsules 咳治得軟膠囊", "round", "soft capsule"),
        ("tw-tfda", "Cefaclor 膠囊", "oblong", "hard capsule"),
        ("tw-tfda", "NEURONTIN F.C. TABLETS 鎮頑癲膜衣錠", "oblong", "tablet"),
        ("kr-mfds", "솔루펜연질캡슐(덱시부프로펜)", "oval", "soft capsule"),
    ],
)
def test_the_form_a_name_gives_away(source, name, shape, form):
    assert translator(source).form_from_name(name, shape) == form


def test_the_stronger_score_line_of_two_sides_counts():
    assert translator("kr-mfds").score_line(["-", "+"]) == "cross"
    assert translator("kr-mfds").score_line(["", ""]) is None
