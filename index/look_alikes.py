"""Items of one catalogue that cannot be told apart by looking: one photo, or one imprint on pills alike.

A pill sold under several labels has a row, and often a photo, for each. Left apart, they share the probability of one
answer among them, and none of them is ever likely; together they are one answer that names them all.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from index.catalog import Entry
from index.importers.rows import ItemRow
from pipeline.imprint_text import normalise

MIN_LETTERS: Final = 3
"""Letters and digits of an imprint, both sides together, from which it stands for a product: "M" and "93" do not."""
SAME_SIZE: Final = 1.1
"""Lengths that differ by more than this ratio can be told apart, pill in hand."""


def join_look_alikes(entries: Sequence[Entry]) -> list[Entry]:
    """The entries, in their order, with one `appearance` for all that look the same.

    Items of one photo are together from the start. Such groups of one catalogue are joined when their tables state
    the same imprint, and colours, shape, form and size agree as far as both state them: each with every member, so
    that no chain of unknowns joins a round pill to an oval one. A group whose members state different imprints (one
    photo standing for two strengths) is joined to nothing, and what was read from a photo joins nothing: half an
    imprint is shared by many.
    """
    photos: dict[object, list[int]] = defaultdict(list)
    for row, entry in enumerate(entries):
        photo = entry.item.appearance
        photos[(entry.catalog, photo) if photo is not None else row].append(row)
    by_imprint: dict[tuple[str, tuple[str, ...]], list[list[int]]] = defaultdict(list)
    joined = list(entries)
    groups: list[list[int]] = []
    for rows in photos.values():
        stated = {_stated(entries[row].item) for row in rows} - {()}
        if len(stated) != 1 or sum(map(len, min(stated))) < MIN_LETTERS:
            groups.append(rows)
            continue
        alike = by_imprint[entries[rows[0]].catalog, min(stated)]
        group = next((g for g in alike if all(_alike(entries[r].item, entries[m].item) for r in rows for m in g)), None)
        if group is None:
            alike.append(rows)
            groups.append(rows)
        else:
            group += rows
    for rows in groups:
        name = entries[rows[0]].item.key if len(rows) > 1 else None
        for row in rows:
            joined[row] = replace(entries[row], item=entries[row].item.model_copy(update={"appearance": name}))
    return joined


def _stated(item: ItemRow) -> tuple[str, ...]:
    """The tokens that the catalogue states for both sides together, sorted; () when it states none."""
    if item.imprint_source != "catalog":
        return ()
    return tuple(sorted(normalise(f"{item.imprints[0].front or ''} {item.imprints[0].back or ''}")))


def _alike(one: ItemRow, other: ItemRow) -> bool:
    """Whether nothing that both state tells them apart. Of colours, one in common is enough: sources name shades
    differently."""
    colors = ({*one.colors_front, *one.colors_back}, {*other.colors_front, *other.colors_back})
    lengths = sorted(filter(None, (one.length_mm, other.length_mm)))
    return (
        (not all(colors) or bool(colors[0] & colors[1]))
        and (not one.shapes or not other.shapes or bool({*one.shapes} & {*other.shapes}))
        and (one.form is None or other.form is None or one.form == other.form)
        and (len(lengths) < 2 or lengths[1] <= SAME_SIZE * lengths[0])
    )
