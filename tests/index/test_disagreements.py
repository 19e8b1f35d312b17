"""Photos against tables."""

import csv

import pytest

from index.disagreements import disagreement, write
from pipeline.schemas import Reading


def line(text, confidence=0.98, rotation=0):
    return Reading(text=text, confidence=confidence, box=[0, 0, 90, 30], rotation=rotation)


@pytest.mark.parametrize(
    ("stated", "front", "back", "listed"),
    [
        (("LILLY", "3270"), [line("LILLY")], [line("3237")], True),
        (("TEVA", "3147"), [line("93")], [line("3147")], True),
        (("TEVA", "7270"), [line("TEVA")], [line("7270")], False),
        (("TEVA", "7270"), [line("TEVA7Z7O")], [], False),  # in one run, look-alikes
        (("TEVA", "7270"), [line("TEVA")], [line("7278")], False),  # one letter: a misreading, not another pill
        (("TEVA", "7270"), [line("93", 0.7)], [line("7270")], False),  # not sure enough
        (("TEVA", "7270"), [line("7270")], [], False),  # not read is not contradicted
        (("TEVA", "7270"), [line("TEVA"), line("7270")], [line("MADE IN IRELAND")], False),  # more than the table says
        (("5",), [line("V")], [], False),  # single letters are read anywhere
    ],
)
def test_only_what_photo_and_table_both_are_sure_of_is_listed(stated, front, back, listed):
    assert (disagreement("us-nih:1", stated, [front, back]) is not None) is listed


def test_the_surest_come_first_in_the_list(tmp_path):
    found = [
        disagreement(name, ("AB12",), [[line("XYZ9", confidence)]]) for name, confidence in (("a", 0.91), ("b", 0.99))
    ]
    write(tmp_path / "list.csv", [one for one in found if one])
    with (tmp_path / "list.csv").open() as handle:
        assert [row["item"] for row in csv.DictReader(handle)] == ["b", "a"]
