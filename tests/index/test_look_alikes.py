"""Which items are one answer: those that a person with the pill in hand could not tell apart."""

import pytest

from index.catalog import Entry
from index.importers.rows import Imprint, ItemRow
from index.look_alikes import join_look_alikes


def entry(key: str, imprint: str | None = "PLIVA 333", catalog: str = "us-nih", **stated: object) -> Entry:
    imprints = (Imprint(front=imprint, back=None),) if imprint is not None else ()
    source = stated.pop("imprint_source", "catalog" if imprints else None)
    return Entry(catalog, ItemRow(key=key, name=key, imprints=imprints, imprint_source=source, **stated))  # type: ignore[arg-type]


def groups(*entries: Entry) -> list[set[str]]:
    """Keys of the items that were joined, group by group."""
    found: dict[str, set[str]] = {}
    for joined in join_look_alikes(entries):
        if joined.item.appearance is not None:
            found.setdefault(joined.item.appearance, set()).add(joined.item.key)
    return list(found.values())


def test_repackagers_of_one_pill_are_one_answer() -> None:
    assert groups(
        entry("a", colors_front=("white",)),
        entry("b", imprint="333 pliva", colors_front=("white",), shapes=("round",)),
        entry("c", imprint="PLIVA 334", colors_front=("white",)),
    ) == [{"a", "b"}]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"colors_front": ("white",)}, {"colors_front": ("blue",)}),
        ({"shapes": ("round",)}, {"shapes": ("oval",)}),
        ({"form": "tablet"}, {"form": "hard capsule"}),
        ({"length_mm": 8.0}, {"length_mm": 12.0}),
        ({"catalog": "kr-mfds"}, {"catalog": "us-nih"}),
    ],
)
def test_what_tells_pills_apart_keeps_them_apart(one: dict[str, object], other: dict[str, object]) -> None:
    assert groups(entry("a", **one), entry("b", **other)) == []  # type: ignore[arg-type]


def test_an_item_of_unknown_shape_does_not_join_two_shapes() -> None:
    found = groups(entry("a", shapes=("round",)), entry("b"), entry("c", shapes=("oval",)))
    assert found == [{"a", "b"}]


def test_short_imprints_and_readings_join_nothing() -> None:
    assert groups(entry("a", "93"), entry("b", "93")) == []
    assert groups(entry("a", imprint_source="read"), entry("b", imprint_source="read")) == []
    assert groups(entry("a", None), entry("b", None)) == []


def test_one_photo_joins_whatever_the_tables_say() -> None:
    first, second = entry("a", "CR 250", appearance="p1"), entry("b", "CR 500", appearance="p1")
    assert groups(first, second) == [{"a", "b"}]


def test_a_photo_of_two_strengths_is_joined_to_neither() -> None:
    first, second = entry("a", "CR 250", appearance="p1"), entry("b", "CR 500", appearance="p1")
    assert groups(first, second, entry("c", "CR 500", appearance="p2")) == [{"a", "b"}]
    unstated = entry("b", None, appearance="p1")
    assert groups(first, unstated, entry("c", "CR 250", appearance="p2")) == [{"a", "b", "c"}]
