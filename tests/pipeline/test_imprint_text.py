"""Normalisation, on the words the three catalogues really use."""

import pytest

from pipeline.imprint_text import fold, is_blank, normalise, upside_down


@pytest.mark.parametrize(
    ("written", "tokens"),
    [
        # US NIH: tokens split by ;
        ("TEVA;7270", ("TEVA", "7270")),
        ("9;3;7206", ("9", "3", "7206")),
        ("Pfizer", ("PFIZER",)),
        # Korean MFDS: score lines and logos in words, between and inside letters
        ("DWP분할선TM5", ("DWP", "TM5")),
        ("MI분할선SL분할선IM", ("MI", "SL", "IM")),
        ("마크분할선마크", ()),
        ("십자분할선", ()),
        ("마크 7.5", ("7.5",)),
        ("2.5분할선CHP", ("2.5", "CHP")),
        ("D-W", ("D", "W")),
        ("K.D", ("K", "D")),
        ("SK&F200", ("SK", "F200")),
        ("ΛUK", ("AUK",)),
        ("BST 5/50", ("BST", "5/50")),
        ("½", ("1/2",)),
        ("7삼각형", ("7",)),
        ("K;①", ("K", "1")),
        ("하벤허브", ("하벤허브",)),
        ("경동　10", ("경동", "10")),
        # Taiwan FDA
        ("FY T061", ("FY", "T061")),
        ("無", ()),
        ("六邊形裡面有K", ("K",)),
        ("頭A尾B", ("A", "B")),
        ("25mg", ("25MG",)),
        # other people's tables
        ("logo 5 debossed on one side", ("5",)),
        ("Score; plain", ()),
        ("ＡＢＣ　１２", ("ABC", "12")),
        ("Ⅱ", ("II",)),
        ("TAB Ⅳ;imprinted on one side; plain on the other side", ("TAB", "IV")),
        ("93;debossed; bisected", ("93",)),
        ("L｜X", ("L", "X")),
        ("", ()),
    ],
)
def test_normalise(written, tokens):
    assert normalise(written) == tokens


def test_words_of_description_are_letters_where_nothing_is_described():
    assert normalise("ON 5") == ("ON", "5")


@pytest.mark.parametrize(
    ("a", "b"), [("0", "O"), ("I1L", "LLI"), ("5B", "S8"), ("Z2", "22"), ("D7", "Q7"), ("7.5", "75")]
)
def test_fold_merges_what_cannot_be_told_apart(a, b):
    assert fold(a) == fold(b)


@pytest.mark.parametrize(("a", "b"), [("TEVA", "TEVB"), ("3", "7"), ("M", "W"), ("6", "9")])
def test_fold_keeps_the_rest_apart(a, b):
    assert fold(a) != fold(b)


@pytest.mark.parametrize(
    ("text", "turned"),
    [
        ("99 M", "W 66"),
        ("W66", "99M"),
        ("SO8", "8OS"),
        ("6;9", None),
        ("HOH", None),
        ("TEVA", None),
        ("", None),
        ("9A", None),
    ],
)
def test_upside_down_is_what_stands_there_the_other_way_up(text, turned):
    assert upside_down(text) == turned


@pytest.mark.parametrize(
    ("written", "blank"),
    [
        (None, None),
        ("", True),
        ("분할선", True),
        ("無", True),
        ("plain", True),
        ("마크", False),
        ("삼각형", False),
        ("logo", False),
        ("5", False),
    ],
)
def test_is_blank(written, blank):
    assert is_blank(written) is blank
