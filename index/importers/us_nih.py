"""The table of pills with NIH / NLM reference photos (C3PI, Pillbox), joined with RxNorm and SPL facts.

One row per NDC labeler-product. A `*_from_twin` cell holds the value of rows that show byte-identical photos; ` || `
separates values that differ. Twins are mostly repackagers of the same pill, but not always: own values go first.
"""

import re
from pathlib import Path
from typing import Final

from index.importers.rows import (
    MAX_REJECTED_SHARE,
    Catalog,
    Imprint,
    ItemRow,
    Photo,
    Source,
    gather,
    one_line,
    parse,
)
from index.vocabulary import Translator, translator
from pipeline.imprint_text import normalise

ID: Final = "us-nih"
COLUMNS: Final = (
    "ndc9", "ndc9_padded", "ndc_package", "name", "imprint", "colors", "colors_source", "shape", "labeler", "active",
    "rxcui", "crop_front", "crop_back", "appearance_id", "appearance_group", "name_from_twin", "imprint_from_twin",
    "colors_from_twin", "shape_from_twin", "active_from_twin", "rxcui_from_twin", "n_twins",
)  # fmt: skip
SOURCE: Final = Source(
    id=ID,
    title="NIH / NLM pill reference images",
    attribution="U.S. National Institutes of Health, National Library of Medicine: C3PI / Pillbox pill reference "
    "images (collection closed 2018-06-07), with RxNorm and FDA Structured Product Labeling facts",
    terms="US Government work; the ePillID release adds 'for research purposes'. Facts and vectors only, no images.",
    date="2018-06-07",
)


def _own_or_twins(cells: dict[str, str], column: str) -> list[str]:
    """The row's own value alone, or the different values of its twins."""
    if cells[column].strip():
        return [cells[column].strip()]
    values = (value.strip() for value in cells[f"{column}_from_twin"].split("||"))
    return list({value.casefold(): value for value in reversed([v for v in values if v])}.values())[::-1]


def _imprints(cells: dict[str, str]) -> tuple[Imprint, ...]:
    """One version per distinct reading. The tokens of both sides stand in one cell, so all go to the front."""
    versions: dict[tuple[str, ...], Imprint] = {}
    for value in _own_or_twins(cells, "imprint"):
        text = one_line(value.replace(";", " "))
        if text and normalise(text):
            versions.setdefault(normalise(text), Imprint(front=text))
    return tuple(versions.values())


def _photos(cells: dict[str, str]) -> tuple[Photo, ...]:
    sides = (("front", cells["crop_front"]), ("back", cells["crop_back"]))
    return tuple(Photo(file=file, layout="isolated", side=side) for side, file in sides if file)  # type: ignore[arg-type]


def _row(cells: dict[str, str], words: Translator) -> ItemRow:
    stated_names = _own_or_twins(cells, "name")
    ingredients = _own_or_twins(cells, "active")
    name = " or ".join(stated_names) or (ingredients[0] if ingredients else f"NDC {cells['ndc9']}")
    shapes = words.shapes(next(iter(_own_or_twins(cells, "shape")), ""))
    colors = words.colors(color for value in _own_or_twins(cells, "colors") for color in re.split(r"[;|]", value))
    imprints = _imprints(cells)
    return ItemRow(
        key=cells["ndc9"],
        name=one_line(name) or "",
        manufacturer=one_line(cells["labeler"]),
        ingredient=one_line(" or ".join(ingredients)),
        imprints=imprints,
        imprint_source=("catalog" if cells["imprint"].strip() else "twin") if imprints else None,
        sides_known=not imprints,
        shapes=shapes,
        colors_front=colors,
        form=words.form_from_name(" ".join(stated_names), shapes[0] if shapes else None),
        appearance=cells["appearance_group"] or None,
        photos=_photos(cells),
    )


def load(path: Path, *, max_rejected_share: float = MAX_REJECTED_SHARE) -> Catalog:
    """Read the table.

    Raises:
        ImportRefused: see `read_table` and `gather` in index.importers.rows.
    """
    words = translator(ID)
    rows = parse(path, COLUMNS, lambda cells: _row(cells, words))
    return gather(SOURCE, rows, words.unknown, max_rejected_share=max_rejected_share)
