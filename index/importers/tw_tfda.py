"""The Taiwan FDA pill appearance table (open data set 42): solid forms with a photo of both faces beside a ruler."""

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
from pipeline.imprint_text import normalise

ID: Final = "tw-tfda"
COLUMNS: Final = (
    "id", "zh", "en", "color", "shape", "score_mark", "size", "mark1", "mark2", "images", "n_images", "same_photo_ids",
)  # fmt: skip
SNAPSHOT: Final = "2026-08-10"


def _values(cell: str) -> list[str]:
    """`|` separates the values of several pills of one pack, or the halves of a capsule."""
    return [value.strip() for value in cell.split("|") if value.strip()]


PILLS: Final = ";;;"
"""Between the marks of several pills of one row: its strengths, or one pill written down more than once."""


def _marks(cell: str) -> list[str | None]:
    """What one side carries, by pill; None where a pill's mark holds nothing that can be read."""
    texts = (one_line(part) for part in cell.split(PILLS))
    return [text if text and normalise(text) else None for text in texts]


def _imprints(cells: dict[str, str]) -> tuple[Imprint, ...]:
    """mark1 and mark2 are two sides, the source does not say which is which. An absent mark may be unrecorded. Where
    one side names fewer pills than the other, its last mark holds for the rest."""
    fronts, backs = _marks(cells["mark1"]), _marks(cells["mark2"])
    count = max(len(fronts), len(backs))
    sides = zip(*(marks + marks[-1:] * (count - len(marks)) for marks in (fronts, backs)), strict=True)
    return tuple(Imprint(front=front, back=back) for front, back in dict.fromkeys(sides) if front or back)


def _appearance(cells: dict[str, str]) -> str | None:
    """The smallest id of those that show the same photo: the same text in every row of the group."""
    return min([*_values(cells["same_photo_ids"]), cells["id"]]) if cells["same_photo_ids"].strip() else None


def _row(cells: dict[str, str], words: Translator) -> ItemRow:
    shapes = words.shapes(next(iter(_values(cells["shape"])), ""))
    english, chinese = one_line(cells["en"]), one_line(cells["zh"])
    names = [name for name in (english, chinese) if name and name.strip("*")]
    imprints = _imprints(cells)
    return ItemRow(
        key=cells["id"],
        name=" / ".join(names),
        imprints=imprints,
        imprint_source="catalog" if imprints else None,
        sides_known=not imprints,
        shapes=shapes,
        colors_front=words.colors(_values(cells["color"])),
        form=words.form_from_name(" ".join(names), shapes[0] if shapes else None),
        score_line=words.score_line(_values(cells["score_mark"])),
        length_mm=millimetres(next(iter(_values(cells["size"])), "")),
        appearance=_appearance(cells),
        photos=tuple(Photo(file=file, layout="pair") for file in _values(cells["images"])),
    )


def load(path: Path, *, snapshot: str = SNAPSHOT, max_rejected_share: float = MAX_REJECTED_SHARE) -> Catalog:
    """Read the table. `snapshot`: ISO date on which the data set was fetched; the file does not say it itself.

    Raises:
        ImportRefused: see `read_table` and `gather` in index.importers.rows.
    """
    words = translator(ID)
    source = Source(
        id=ID,
        title="Taiwan FDA pill appearance",
        attribution=f"Taiwan Food and Drug Administration (衛生福利部食品藥物管理署): open data set 42, "
        f"pill appearance, snapshot {snapshot}",
        terms="Open data of data.fda.gov.tw; name the source. Facts and vectors only, no images.",
        date=snapshot,
    )
    rows = parse(path, COLUMNS, lambda cells: _row(cells, words))
    return gather(source, rows, words.unknown, max_rejected_share=max_rejected_share)
