"""The loaded index answers every question of the gallery, and only from files that its manifest names."""

import json
from pathlib import Path

import numpy as np
import pytest

from index.build import Recipe
from index.errors import IndexDamaged
from index.manifest import CATALOG, MANIFEST, VECTORS
from index.search import SHIPPED, LoadedIndex
from pipeline.errors import UnknownItem
from pipeline.schemas import Reading
from pipeline.vocabulary import COLORS, FORMS, SHAPES
from tests.index.small_index import build_small, unit

TWIN, OWN, UNREAD = "us-nih:615-7740", "us-nih:93-7270", "us-nih:2-4464"
TABLET, CAPSULE = "tw-tfda:衛署藥製字第045177號", "tw-tfda:衛署藥製字第000001號"


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return build_small(tmp_path_factory.mktemp("small"))


@pytest.fixture(scope="module")
def index(folder) -> LoadedIndex:
    return LoadedIndex(folder)


def row(index: LoadedIndex, item_id: str) -> int:
    return next(r for r in range(len(index)) if index.item(r).item_id == item_id)


def ids(index: LoadedIndex, rows) -> list[str]:
    return [index.item(int(r)).item_id for r in rows]


def reading(text: str) -> Reading:
    return Reading(text=text, confidence=0.9, box=[100, 150, 300, 200], rotation=0)


def test_items_carry_their_facts_and_their_source(index):
    item = index.find(OWN)
    assert (item.name, item.manufacturer) == ("pravastatin sodium 80 MG Oral Tablet", "Teva Pharmaceuticals USA Inc")
    assert (item.imprint_front, item.imprint_back, item.imprint_source) == ("TEVA 7270", None, "catalog")
    assert (item.shape, item.colors, item.form, item.sides_known) == ("oval", ["white"], "tablet", False)
    assert item.same_appearance == [TWIN]
    assert item.has_photo
    assert "National Library of Medicine" in item.source
    korean = index.find("kr-mfds:200402048")
    assert (korean.colors, korean.length_mm, korean.imprint_back) == (["purple", "white"], 17.6, "")
    assert korean.catalog_date == "2021-01-12"
    assert not korean.has_photo
    assert index.find(TABLET).same_appearance == [CAPSULE]


@pytest.mark.parametrize("item_id", ["us-nih:0-0", "nowhere:93-7270", "", "'; DROP TABLE items; --"])
def test_an_unknown_id_is_a_typed_error(index, item_id):
    with pytest.raises(UnknownItem):
        index.find(item_id)


def test_nearest_finds_the_item_of_a_face_whatever_turn_matches(index):
    query = np.stack([unit(99), unit(3), unit(98), unit(97)])
    assert ids(index, index.nearest(query, 1, None)) == [UNREAD]


def test_items_that_share_a_photo_come_together_and_each_once(index):
    found = ids(index, index.nearest(np.stack([unit(1), unit(2)]), 3, None))
    assert sorted(found[:2]) == sorted([OWN, TWIN])
    assert len(set(found)) == 3
    assert len(index.nearest(unit(1)[None], 100, None)) == 5  # all that have a photo


def test_nearest_stays_inside_the_catalogues_asked_for(index):
    assert ids(index, index.nearest(unit(1)[None], 9, ["tw-tfda"])) == [TABLET, CAPSULE]
    assert len(index.nearest(unit(1)[None], 9, ["kr-mfds"])) == 0
    assert len(index.nearest(unit(1)[None], 9, [])) == 0


def test_similarities_are_per_side_and_missing_without_a_photo(index):
    rows = np.array([row(index, name) for name in (TABLET, "kr-mfds:200402048", OWN)])
    cosines = index.similarities(np.stack([unit(6), unit(1)]), rows)
    assert cosines.shape == (3, 2)
    assert cosines[0, 1] == pytest.approx(1.0, abs=1e-3)
    assert cosines[2, 0] == pytest.approx(1.0, abs=1e-3)
    assert cosines[0, 0] < 0.7
    assert np.isnan(cosines[1]).all()
    assert index.similarities(unit(1)[None], np.zeros(0, np.int64)).shape == (0, 2)


def test_an_imprint_finds_its_item_through_any_of_its_versions(index):
    llr = index.match_imprint([reading("TEVA 7270")]).llr.max(axis=1)
    assert sorted(ids(index, np.argsort(-llr)[:2])) == sorted([OWN, TWIN])
    llr = index.match_imprint([reading("5A")]).llr
    best = int(llr[:, 1].argmax())
    assert index.item(best).item_id == "kr-mfds:199500630"  # whose back shows a logo that looks like 5A
    match = index.match_imprint([reading("TEVA 7270")])
    assert match.known.shape == (len(index), 2)
    assert not match.known[row(index, UNREAD)].any()


def test_blank_sides_are_known_where_the_catalogue_says_so(index):
    rows = np.array([row(index, name) for name in ("kr-mfds:200402048", "kr-mfds:199500630", UNREAD)])
    blank = index.blank(rows)
    assert blank[0].tolist() == [0.0, 1.0]
    assert blank[1].tolist() == [0.0, 0.0]  # a logo is not blank
    assert np.isnan(blank[2]).all()


def test_attributes_are_codes_of_the_vocabulary(index):
    rows = np.array([row(index, name) for name in (OWN, TWIN, CAPSULE, UNREAD)])
    table = index.attributes(rows)
    assert [SHAPES[code] for code in table.shape] == ["oval", "oval", "oblong", "other"]
    assert [code if code < 0 else FORMS[code] for code in table.form] == ["tablet", "tablet", "soft capsule", "tablet"]
    assert table.colors[3] == 1 << COLORS.index("yellow") | 1 << COLORS.index("blue")
    assert [list(index.catalogs)[code] for code in table.catalog] == ["us-nih", "us-nih", "tw-tfda", "us-nih"]
    assert table.group[0] == table.group[1]
    assert len(set(table.group[1:].tolist())) == 3


def test_catalogues_can_be_told_apart(index):
    assert index.catalogs == {"us-nih": "2018-06-07", "tw-tfda": "2026-08-10", "kr-mfds": "2021-01-12"}
    assert index.in_catalogs(None).all()
    assert ids(index, np.flatnonzero(index.in_catalogs(["tw-tfda"]))) == [TABLET, CAPSULE]


def test_search_by_what_a_person_types(index):
    assert ids(index, [index.search_imprint("ccp-78").argmax()]) == [TABLET]
    for text in ("pravastatin", "PRAVASTATIN sodium", "pravastatn", "ravastati"):
        assert ids(index, [index.search_name(text).argmax()]) == [OWN]
    assert index.search_name("pravastatn").max() < index.search_name("pravastatin").max() == 1.0
    assert ids(index, [index.search_name("알게이트").argmax()]) == ["kr-mfds:199500630"]
    assert index.search_name("xylophone").max() == 0
    assert index.search_name("").max() == 0


@pytest.mark.parametrize("storage", ["float32", "uint8"])
def test_other_storages_find_the_same(tmp_path, storage):
    index = LoadedIndex(build_small(tmp_path, Recipe(storage=storage)))
    assert ids(index, index.nearest(unit(3)[None], 1, None)) == [UNREAD]
    cosine = index.similarities(unit(3)[None], np.array([row(index, UNREAD)]))[0, 0]
    assert cosine == pytest.approx(1.0, abs=0.02)


@pytest.mark.parametrize("name", [CATALOG, VECTORS])
def test_a_wrong_byte_stops_the_load_and_names_the_file(tmp_path, name):
    folder = build_small(tmp_path)
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / name).write_bytes(content)
    with pytest.raises(IndexDamaged, match=name) as caught:
        LoadedIndex(folder)
    assert caught.value.file == folder / name


@pytest.mark.parametrize("name", [CATALOG, VECTORS, MANIFEST])
def test_an_absent_file_stops_the_load_and_is_named(tmp_path, name):
    folder = build_small(tmp_path)
    (folder / name).unlink()
    with pytest.raises(IndexDamaged, match=name):
        LoadedIndex(folder)


def test_a_manifest_of_another_shape_is_refused(tmp_path):
    folder = build_small(tmp_path)
    manifest = json.loads((folder / MANIFEST).read_text())
    del manifest["files"][VECTORS]
    (folder / MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(IndexDamaged, match="does not name"):
        LoadedIndex(folder)
    (folder / MANIFEST).write_text("{}")
    with pytest.raises(IndexDamaged, match="not a manifest"):
        LoadedIndex(folder)


@pytest.mark.skipif(not (SHIPPED / MANIFEST).exists(), reason="no index is built")
def test_the_shipped_index_holds_three_catalogues():
    index = LoadedIndex()
    assert list(index.catalogs) == ["kr-mfds", "tw-tfda", "us-nih"]
    assert len(index) == 23_810 + 5_761 + 4_081
    assert all(index.catalogs.values())  # every one says of when it is
