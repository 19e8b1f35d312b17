"""Published files in, validated rows out; broken files change nothing and say why."""

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from index.errors import ImportRefused
from index.importers import kr_mfds, table, tw_tfda, us_nih
from index.importers.rows import Imprint, ItemRow, Photo, Source, millimetres
from tests.index import tables

OWN_SOURCE = Source("own", "Own", "Own Lab", "private", "2026-01-01")


def test_korean_rows_keep_sides_colours_and_sizes(tmp_path):
    catalog = kr_mfds.load(tables.write(tmp_path / "kr_mfds.csv.gz", tables.MFDS, tables.MFDS_SCORED))
    capsule, tablet = catalog.items
    assert capsule == ItemRow(
        key="200402048",
        name="세파렉스캡슐(세파클러수화물)",
        manufacturer="오스틴제약(주)",
        imprints=(Imprint(front="Wal C11", back=""),),
        imprint_source="catalog",
        shapes=("oblong",),
        colors_front=("purple",),
        colors_back=("white",),
        form="hard capsule",
        score_line="none",
        length_mm=17.6,
        width_mm=6.07,
    )
    assert tablet.score_line == "line"
    assert tablet.colors_front == ("white", "transparent")
    assert catalog.source.date == "2021-01-12"
    assert "2021-01-12" in catalog.source.attribution


def test_a_korean_logo_is_also_known_by_the_letters_it_looks_like(tmp_path):
    (item,) = kr_mfds.load(tables.write(tmp_path / "kr_mfds.csv.gz", tables.MFDS_SCORED)).items
    assert item.imprints == (
        Imprint(front="IH분할선AL", back="마크"),  # as stated: the one to show
        Imprint(front="IH분할선AL", back="SA"),
        Imprint(front="IH분할선AL", back="5A"),  # and not "petal", which nobody reads
    )


def test_repeated_korean_rows_are_looks_of_one_item(tmp_path):
    other = tables.MFDS | {"색상앞": "초록", "표시앞": "Wal C12"}
    catalog = kr_mfds.load(tables.write(tmp_path / "kr_mfds.csv.gz", tables.MFDS, tables.MFDS_SCORED, other))
    assert [item.key for item in catalog.items] == ["200402048", "199500630"]
    assert catalog.items[0].colors_front == ("purple", "green")
    assert [pair.front for pair in catalog.items[0].imprints] == ["Wal C11", "Wal C12"]


def test_nih_own_values_go_before_twins(tmp_path):
    own, twin, unread = us_nih.load(
        tables.write(tmp_path / "us_nih.csv", tables.NIH, tables.NIH_TWIN, tables.NIH_UNREAD)
    ).items
    assert (own.imprint_source, own.sides_known, own.form) == ("catalog", False, "tablet")
    assert own.imprints == (Imprint(front="TEVA 7270"),)
    assert own.photos == (
        Photo(file="a_0.jpg", layout="isolated", side="front"),
        Photo(file="a_1.jpg", layout="isolated", side="back"),
    )
    assert twin.imprint_source == "twin"
    assert [pair.front for pair in twin.imprints] == ["TEVA 7270", "TEVA 7280"]  # spellings of one text count once
    assert (twin.name, twin.colors_front, twin.shapes) == ("pravastatin 80 mg", ("white",), ("oval",))
    assert own.appearance == twin.appearance == "g1"
    assert (unread.imprint_source, unread.name, unread.colors_front) == (None, "NDC 2-4464", ("yellow", "blue"))


def test_tfda_sides_are_not_known_and_shared_photos_make_one_appearance(tmp_path):
    tablet, capsule = tw_tfda.load(tables.write(tmp_path / "tw_tfda.csv", tables.TFDA, tables.TFDA_CAPSULE)).items
    assert tablet.imprints == (Imprint(front="CCP", back="78"),)
    assert not tablet.sides_known
    assert (tablet.shapes, tablet.form, tablet.score_line) == (("oval", "oblong"), "tablet", "line")
    assert tablet.colors_front == ("pink", "white")
    assert (capsule.form, capsule.shapes, capsule.length_mm) == ("soft capsule", ("oblong",), 15.0)
    assert capsule.imprints == ()
    assert [photo.file for photo in capsule.photos] == ["p.webp", "q.webp"]
    assert tablet.appearance == capsule.appearance is not None


@pytest.mark.parametrize(
    ("mark1", "mark2", "imprints"),
    [
        ("NK;;;NK", "", [("NK", None)]),
        ("S Y;;;S Y", "380;;;381", [("S Y", "380"), ("S Y", "381")]),
        ("CKD", "7;;;8", [("CKD", "7"), ("CKD", "8")]),
    ],
)
def test_tfda_rows_of_several_pills_have_an_imprint_for_each(tmp_path, mark1, mark2, imprints):
    row = tables.TFDA | {"mark1": mark1, "mark2": mark2}
    (item,) = tw_tfda.load(tables.write(tmp_path / "tw_tfda.csv", row)).items
    assert [(pair.front, pair.back) for pair in item.imprints] == imprints


def test_a_table_of_ones_own(tmp_path):
    (item,) = table.load(tables.write(tmp_path / "own.csv", tables.OWN), OWN_SOURCE).items
    assert item.imprints == (Imprint(front="DEMO", back=""),)
    assert (item.colors_front, item.shapes, item.form) == (("gray", "white"), ("oblong",), "hard capsule")
    assert item.photos == (Photo(file="front.png", layout="single", side="front"),)


def test_unusable_rows_are_reported_by_line(tmp_path):
    path = tables.write(tmp_path / "own.csv", tables.OWN, {"key": "", "name": "x"}, {"key": "B"}, extra="short,row\n")
    catalog = table.load(path, OWN_SOURCE, max_rejected_share=0.9)
    assert [rejection.line for rejection in catalog.rejections] == [3, 4, 5]
    assert catalog.rejections[0].reason.startswith("key:")
    assert catalog.rejections[1].reason.startswith("name:")
    assert [item.key for item in catalog.items] == ["A-1"]


def test_too_many_unusable_rows_refuse_the_file(tmp_path):
    path = tables.write(tmp_path / "own.csv", tables.OWN, {"key": "B"})
    with pytest.raises(ImportRefused, match=r"1 rows unusable \(50.0% > 1.0%\), the first on line 3: name"):
        table.load(path, OWN_SOURCE)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "missing"),
        (b"key,name\nA,B\n", "missing: .*manufacturer"),
        (b"\xff\xfe\x00k", "not UTF-8"),
        ((",".join(table.COLUMNS) + '\nA,"open quote').encode(), "not CSV near line 2"),
        ((",".join(table.COLUMNS) + "\n").encode(), "no usable row"),
        ((",".join(table.COLUMNS) + "\n" + ("A,same" + "," * 11 + "\n") * 2).encode(), "more than once, e.g. A"),
    ],
)
def test_files_that_are_not_what_they_claim_are_refused(tmp_path, content, message):
    path = tmp_path / "own.csv"
    path.write_bytes(content)
    with pytest.raises(ImportRefused, match=message):
        table.load(path, OWN_SOURCE)


def test_a_cut_off_archive_and_an_absent_file_are_refused(tmp_path):
    path = tables.write(tmp_path / "kr_mfds.csv.gz", tables.MFDS)
    path.write_bytes(path.read_bytes()[:-20])
    for broken in (path, tmp_path / "absent.csv"):
        with pytest.raises(ImportRefused, match="cannot be read"):
            kr_mfds.load(broken)


def test_an_archive_that_unpacks_to_too_much_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("index.importers.rows.MAX_TABLE_BYTES", 1_000_000)
    path = tmp_path / "kr_mfds.csv.gz"
    path.write_bytes(gzip.compress(b"0" * 2_000_000))
    with pytest.raises(ImportRefused, match="more than 1 MB"):
        kr_mfds.load(path)


@pytest.mark.parametrize("name", ["/etc/passwd", "../up.png", "a/../../up.png", "a\\b.png", ""])
def test_photos_outside_their_folder_cannot_be_named(name):
    with pytest.raises(ValidationError):
        Photo(file=name, layout="single", side="front")


@pytest.mark.parametrize(
    "wrong", [{"shapes": ("blob",)}, {"colors_back": ("mauve",)}, {"form": "pill"}, {"imprints": (Imprint(),)}]
)
def test_a_row_speaks_our_vocabulary_only(wrong):
    with pytest.raises(ValidationError):
        ItemRow.model_validate({"key": "k", "name": "n"} | wrong)


@given(st.text())
def test_any_cell_is_a_length_or_nothing(text):
    value = millimetres(text)
    assert value is None or 0 < value <= 150
