"""Anyone's own catalogue: a plain UTF-8 CSV with a header line of exactly these columns, any of which but the first
two may be empty.

    key             the item's id in your system, at most 80 characters, unique in the file
    name            product name
    manufacturer    who makes it
    imprint_front   what is on the front, as printed; write "-" for a side known to be blank
    imprint_back    the same for the back
    shape           round, oval, oblong, semicircle, triangle, square, diamond, pentagon, hexagon, octagon, other
    colors          one or several of the 16 colours of pipeline/vocabulary.py, divided by ";"
    form            tablet, hard capsule, soft capsule
    score_line      none, line, cross
    length_mm       longest side in mm
    width_mm        the side across it in mm
    photo_front     photo of the front, a path inside the photo folder
    photo_back      photo of the back

Some other words (capsule, grey, turquoise ...) are understood too: section `table` of configs/vocabulary.yaml.
"""

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
    millimetres,
    one_line,
    parse,
)
from index.vocabulary import Translator, translator

COLUMNS: Final = (
    "key", "name", "manufacturer", "imprint_front", "imprint_back", "shape", "colors", "form", "score_line",
    "length_mm", "width_mm", "photo_front", "photo_back",
)  # fmt: skip
BLANK: Final = "-"


def _side(cell: str) -> str | None:
    return "" if cell.strip() == BLANK else one_line(cell)


def _row(cells: dict[str, str], words: Translator) -> ItemRow:
    imprint = Imprint(front=_side(cells["imprint_front"]), back=_side(cells["imprint_back"]))
    stated = imprint.front is not None or imprint.back is not None
    photos = (
        Photo(file=cells[column].strip(), layout="single", side=side)  # type: ignore[arg-type]
        for column, side in (("photo_front", "front"), ("photo_back", "back"))
        if cells[column].strip()
    )
    return ItemRow(
        key=cells["key"],
        name=one_line(cells["name"]) or "",
        manufacturer=one_line(cells["manufacturer"]),
        imprints=(imprint,) if stated else (),
        imprint_source="catalog" if stated else None,
        shapes=words.shapes(cells["shape"]),
        colors_front=words.colors(cells["colors"].split(";")),
        form=words.form(cells["form"]),
        score_line=words.score_line([cells["score_line"]]),
        length_mm=millimetres(cells["length_mm"]),
        width_mm=millimetres(cells["width_mm"]),
        photos=tuple(photos),
    )


def load(path: Path, source: Source, *, max_rejected_share: float = MAX_REJECTED_SHARE) -> Catalog:
    """Read a catalogue of one's own. `source.id` becomes the catalogue's id.

    Raises:
        ImportRefused: see `read_table` and `gather` in index.importers.rows.
    """
    words = translator("table")
    rows = parse(path, COLUMNS, lambda cells: _row(cells, words))
    return gather(source, rows, words.unknown, max_rejected_share=max_rejected_share)
